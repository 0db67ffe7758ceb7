import { ClientError, Status } from "nice-grpc-common";
import { Connection } from "./connection.js";
import type { Endpoint } from "./endpoint.js";

/** What a server answered to Version. */
export interface VersionAnswer {
  /** Whether it speaks CRI v1; `undefined` if it did not say, because it still starts or hangs. */
  speaksCri: boolean | undefined;
  /** In words: `answers`, `does not serve CRI v1 …`. */
  outcome: string;
}

/** Calls Version once, on a connection of its own, until the signal aborts. Never rejects. */
export async function askVersion(endpoint: Endpoint, signal: AbortSignal): Promise<VersionAnswer> {
  const connection = new Connection({ endpoint, imageEndpoint: endpoint });
  try {
    await connection.runtime.version({}, { signal, timeoutMs: 0, retry: false });
    return { speaksCri: true, outcome: "answers" };
  } catch (error) {
    const code = signal.aborted ? Status.DEADLINE_EXCEEDED : error instanceof ClientError ? error.code : Status.UNKNOWN;
    if (code === Status.UNIMPLEMENTED)
      return { speaksCri: false, outcome: "does not serve CRI v1 (containerd: is its cri plugin disabled?)" };
    return { speaksCri: undefined, outcome: `accepts connections, but does not answer Version: ${Status[code]}` };
  } finally {
    await connection.close();
  }
}
