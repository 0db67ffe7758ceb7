import type { Duplex } from "node:stream";
import { startTimer } from "../../internal/timer.js";

/** Connects to a port, or rejects with the reason why that is impossible. */
export type ConnectPort = (port: number) => Promise<Duplex>;

/** How long one direction of a connection may outlive the other one. */
const graceMs = 1_000;

/**
 * Joins two connections until both have ended, or a moment longer than one direction. As with the runtimes, the end of what the
 * client sends is not passed on to the pod.
 */
export function join(client: Duplex, pod: Duplex): Promise<void> {
  return new Promise((resolve) => {
    let stopTimer: (() => void) | undefined;
    const finish = () => {
      stopTimer?.();
      pod.destroy();
      resolve();
    };
    // What the pod has said is to leave before.
    const finishInOrder = () => (client.writable ? client.write(Buffer.alloc(0), finish) : finish());
    for (const end of [client, pod]) end.on("error", () => {});
    client.once("close", finish).once("end", () => {
      stopTimer = startTimer(graceMs, finish);
    });
    pod.once("end", finishInOrder).once("close", finishInOrder);
    if (client.destroyed) return finish();
    client.pipe(pod, { end: false });
    pod.pipe(client, { end: false });
  });
}
