import { isDeepStrictEqual } from "node:util";
import { onAbort } from "../../internal/abort.js";
import { CriStream } from "../../internal/stream.js";
import type { PodStatus } from "./pod-status.js";
import type { StatusWatch } from "./status-watch.js";

/** What a stream of statuses needs of the run of a pod. */
export interface StatusSource {
  readonly watch: StatusWatch;
  status(): PodStatus;
  /** Whether the status will not change any more. */
  isFinal(): boolean;
}

/** Streams the status, and then each one that differs from the one before. A slow reader misses those in between. */
export function statusStream(source: StatusSource, signal: AbortSignal | undefined): CriStream<PodStatus> {
  return new CriStream((reading) => statuses(source, reading), signal);
}

async function* statuses(
  { watch, status, isFinal }: StatusSource,
  signal: AbortSignal,
): AsyncGenerator<readonly PodStatus[]> {
  let wake = () => {};
  let changes = 0;
  const unlisten = watch.listen(() => {
    changes++;
    wake();
  });
  const stopListening = onAbort(signal, () => wake());
  try {
    for (let last: PodStatus | undefined; !signal.aborted; ) {
      const seen = changes;
      const isLast = isFinal();
      const current = status();
      if (!isDeepStrictEqual(current, last)) yield [current];
      last = current;
      if (isLast) return;
      if (changes === seen && !signal.aborted) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    stopListening();
    unlisten();
  }
}
