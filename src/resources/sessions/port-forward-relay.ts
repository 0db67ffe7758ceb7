import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

/**
 * How long a local connection may be idle after the pod has ended its half, in milliseconds. Runtimes accept no data more than a
 * second after that.
 */
const idleTimeoutMs = 1_000;

/**
 * Relays bytes between a local connection and a stream to the pod. Stops when both sides have ended, or when the pod's side has
 * ended and the local one is idle. The end of one side is passed on to the other. If one side breaks, the other is closed, too.
 *
 * @returns when the local connection has closed: the error that broke the stream before the pod had sent everything, or undefined
 */
export function relay(local: Socket, pod: Duplex): Promise<Error | undefined> {
  return new Promise((resolve) => {
    let failure: Error | undefined;
    const onPodClosed = () => {
      if (pod.readableEnded || local.destroyed) return;
      failure = pod.errored ?? new Error("it was cut");
      local.destroy();
    };
    const onLocalClosed = () => {
      // If both sides have ended, the stream still has to send buffered data to the pod.
      if (!local.readableEnded || !pod.readableEnded) pod.destroy();
      resolve(failure);
    };
    pod.on("error", () => {});
    if (pod.closed) onPodClosed();
    else pod.once("close", onPodClosed);
    if (local.closed) return onLocalClosed();
    local.once("close", onLocalClosed);
    // Read and drop the data for a pod that has closed. Otherwise the end of the local side would not be noticed, and data that the
    // local side has not read yet would be lost.
    pod.on("unpipe", () => local.resume());
    local.once("finish", () => local.setTimeout(idleTimeoutMs, () => local.destroy()));
    local.pipe(pod);
    pod.pipe(local);
  });
}
