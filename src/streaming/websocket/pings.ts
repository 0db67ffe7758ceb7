import type { WebSocket } from "ws";
import type { CriError } from "../../errors.js";
import { defaultPingIntervalMs, Heartbeat, pingTimedOut } from "../heartbeat.js";

/** The session whose socket is pinged. */
export interface PingOptions {
  pingIntervalMs: number | undefined;
  /** Whether the session is an exec or attach. */
  hasCommand: boolean;
  /** Returns how many bytes of payload were sent so far. */
  sentBytes(): number;
  /** Returns whether the socket is paused for a slow reader. */
  isReadPaused(): boolean;
  onTimeout(error: CriError): void;
}

/** Sends pings on a socket until it closes. Calls `onTimeout` if the server stops answering. */
export function sendPings(
  socket: WebSocket,
  { pingIntervalMs, hasCommand, sentBytes, isReadPaused, onTimeout }: PingOptions,
): void {
  const intervalMs = pingIntervalMs ?? defaultPingIntervalMs;
  const heartbeat = new Heartbeat({
    intervalMs,
    // A failed ping closes the socket, and the close event handles it.
    ping: () => socket.ping(undefined, undefined, () => {}),
    sentBytes,
    isReadPaused,
    onTimeout: () => onTimeout(pingTimedOut(intervalMs, hasCommand)),
  });
  socket.on("message", () => heartbeat.onReceived());
  socket.on("pong", () => heartbeat.onPong());
  socket.on("close", () => heartbeat.stop());
}
