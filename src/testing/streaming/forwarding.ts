import type { Duplex } from "node:stream";
import { startTimer } from "../../internal/timer.js";

/** Connects to a port. Rejects with the reason if the connection fails. */
export type ConnectPort = (port: number) => Promise<Duplex>;

/** How long the connection stays open after the client has ended its direction. */
const graceMs = 1_000;

/**
 * Joins two connections until the pod ends its direction, the client closes, or one second after the client ends its direction.
 * Like the runtimes, does not pass the end of the client's direction on to the pod.
 */
export function join(client: Duplex, pod: Duplex): Promise<void> {
  return new Promise((resolve) => {
    let stopTimer: (() => void) | undefined;
    const finish = () => {
      stopTimer?.();
      pod.destroy();
      resolve();
    };
    // Finish after the pod's last data was sent.
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
