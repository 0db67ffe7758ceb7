import type { CallOptions } from "../options.js";
import type { ContainerEventResponse } from "../proto.js";
import type { Connection } from "../transport/connection.js";
import { invoke, toRawOptions } from "./invoke.js";

/** GetContainerEvents, since Kubernetes 1.25: the runtime's stream, which may lose events. Ends when the runtime ends it. */
export async function* containerEvents(
  connection: Connection,
  options?: CallOptions,
): AsyncGenerator<ContainerEventResponse, void, undefined> {
  const replies = connection.runtime.getContainerEvents({}, toRawOptions(options))[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { done, value } = await invoke(connection, options, () => replies.next());
      if (done) return;
      yield value;
    }
  } finally {
    await replies.return?.();
  }
}
