import { finished, type Readable } from "node:stream";

/** How many bytes may wait for the reader before the stream is paused. */
const maxWaitingBytes = 256 * 1024;

/**
 * Yields the chunks of a stream as they arrive. The stream's own iterator joins the chunks that wait, and so copies most of a large
 * transfer once more. Destroys the stream if the reader stops early, as that iterator does.
 *
 * @throws the error of the stream
 */
export async function* arrivingChunks(stream: Readable): AsyncGenerator<Buffer, void, undefined> {
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  let end: { readonly error: unknown } | undefined;
  let wake = () => {};
  const onData = (chunk: Buffer) => {
    waiting.push(chunk);
    waitingBytes += chunk.length;
    if (waitingBytes >= maxWaitingBytes) stream.pause();
    wake();
  };
  const stopWaiting = finished(stream, { writable: false }, (error) => {
    end = { error };
    wake();
  });
  stream.on("data", onData);
  try {
    for (;;) {
      const chunks = waiting;
      [waiting, waitingBytes] = [[], 0];
      if (stream.isPaused()) stream.resume();
      for (const chunk of chunks) yield chunk;
      if (waiting.length > 0) continue;
      if (end?.error) throw end.error;
      if (end) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    stopWaiting();
    stream.off("data", onData);
    stream.destroy();
  }
}
