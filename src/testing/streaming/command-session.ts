import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { RemoteCommandStreams } from "../../streaming/transport.js";
import type { ProgramIo } from "../backend/program-io.js";
import type { CommandStatus } from "./command-status.js";

/** An upgrade request, from the `upgrade` event of an HTTP server. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** The server's end of an exec or attach session. */
export interface CommandSession {
  readonly io: ProgramIo;
  /** Sends the status after the last output, and ends the connection. Without a status, only the outputs end. */
  finish(status: CommandStatus | undefined): Promise<void>;
}

/**
 * Accepts an upgrade request. Resolves with undefined if it was rejected, or if the client disconnected before the session began.
 */
export type AcceptCommand<O extends unknown[] = []> = (
  upgrade: Upgrade,
  streams: RemoteCommandStreams,
  ...options: O
) => Promise<CommandSession | undefined>;
