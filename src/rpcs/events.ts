import type { CallOptions } from "../options.js";
import type { ContainerEventResponse } from "../proto.js";
import type { Connection } from "../transport/connection.js";
import { invoke, toRawOptions } from "./invoke.js";

/**
 * Streams the runtime's events (GetContainerEvents, since Kubernetes 1.25). The stream may lose events, and ends when the runtime
 * ends it.
 */
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
