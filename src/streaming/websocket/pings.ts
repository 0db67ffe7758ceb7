import type { WebSocket } from "ws";
import type { CriError } from "../../errors.js";
import { defaultPingIntervalMs, Heartbeat, silent } from "../heartbeat.js";

/** What pings need to know of the session on a socket. */
export interface PingOptions {
  pingIntervalMs: number | undefined;
  /** Whether the session is an exec or attach. */
  hasCommand: boolean;
  /** How many bytes of payload were sent so far. */
  sentBytes(): number;
  /** Whether the socket is paused for a slow reader. */
  isHeld(): boolean;
  onSilence(error: CriError): void;
}

/** Sends pings on a socket until it closes, and reports a server that stops answering. */
export function sendPings(
  socket: WebSocket,
  { pingIntervalMs, hasCommand, sentBytes, isHeld, onSilence }: PingOptions,
): void {
  const intervalMs = pingIntervalMs ?? defaultPingIntervalMs;
  const heartbeat = new Heartbeat({
    intervalMs,
    // A failure here closes the socket, which is where it is dealt with.
    ping: () => socket.ping(undefined, undefined, () => {}),
    sentBytes,
    isHeld,
    onSilence: () => onSilence(silent(intervalMs, hasCommand)),
  });
  socket.on("message", () => heartbeat.heard());
  socket.on("pong", () => heartbeat.answered());
  socket.on("close", () => heartbeat.stop());
}
