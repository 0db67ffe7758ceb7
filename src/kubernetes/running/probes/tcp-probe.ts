import { connect } from "node:net";
import { onAbort } from "../../../internal/abort.js";
import { failure, type ProbeOutcome } from "./probe.js";

/** Probes by opening a TCP connection and closing it. Rejects with the signal's reason. */
export function probeTcp(host: string, port: number, signal: AbortSignal): Promise<ProbeOutcome> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const socket = connect({ host, port });
    const unlisten = onAbort(signal, () => finish(() => reject(signal.reason)));
    const finish = (settle: () => void) => {
      unlisten();
      socket.destroy();
      settle();
    };
    socket.on("connect", () => finish(() => resolve({ outcome: "success", message: "" })));
    socket.on("error", (error) => finish(() => resolve(failure(`dial tcp ${host}:${port}: ${error.message}`))));
  });
}
