import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { CriError } from "../../errors.js";

/** How long a local connection may be silent once the pod's answer has ended: after a second runtimes take nothing any more. */
const silenceMs = 1_000;

/**
 * Carries bytes between a local connection and a stream to the pod until both directions have ended, or the pod's has and the
 * local one falls silent. Each end passes on as such; a side that breaks takes the other along.
 *
 * @returns when the local connection has closed: what broke the stream before the pod had said everything, if anything did
 */
export function relay(local: Socket, pod: Duplex): Promise<Error | undefined> {
  return new Promise((resolve) => {
    let failure: Error | undefined;
    const onPodClosed = () => {
      if (pod.readableEnded || local.destroyed) return;
      failure = pod.errored ?? new CriError({ code: "UNAVAILABLE", message: "the forwarded connection was cut" });
      local.destroy();
    };
    const onLocalClosed = () => {
      // If both have ended, what the pod is still to get is on its way.
      if (!local.readableEnded || !pod.readableEnded) pod.destroy();
      resolve(failure);
    };
    pod.on("error", () => {});
    if (pod.closed) onPodClosed();
    else pod.once("close", onPodClosed);
    if (local.closed) return onLocalClosed();
    local.once("close", onLocalClosed);
    // What is said to a pod that has ended goes nowhere, but is read: else the end behind it would not be seen, and what the
    // local side has yet to read would be lost.
    pod.on("unpipe", () => local.resume());
    local.once("finish", () => local.setTimeout(silenceMs, () => local.destroy()));
    local.pipe(pod);
    pod.pipe(local);
  });
}
