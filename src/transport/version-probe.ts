import { ClientError, Status } from "nice-grpc-common";
import { Connection } from "./connection.js";
import type { Endpoint } from "./endpoint.js";

/** The result of calling Version. */
export interface VersionProbe {
  /** Whether the server speaks CRI v1; `undefined` if it did not reply, because it is still starting or hangs. */
  speaksCri: boolean | undefined;
  /** A description: `answers`, `does not serve CRI v1 …`. */
  outcome: string;
}

/** Calls Version once, on a new connection, until the signal aborts. Never rejects. */
export async function probeVersion(endpoint: Endpoint, signal: AbortSignal): Promise<VersionProbe> {
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
