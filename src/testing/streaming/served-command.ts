import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { RemoteCommandStreams } from "../../streaming/transport.js";
import type { ProgramIo } from "../backend/program-io.js";
import type { CommandStatus } from "./command-status.js";

/** A request to upgrade, from the `upgrade` event of an HTTP server. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** The server's end of an exec or attach session. */
export interface ServedCommand {
  readonly io: ProgramIo;
  /** Sends the status behind the last output, and ends the connection. Without a status, only the outputs end. */
  finish(status: CommandStatus | undefined): Promise<void>;
}

/** Takes over a request to upgrade; nothing if the client was sent away, or left before there was a session. */
export type AcceptCommand<O extends unknown[] = []> = (
  upgrade: Upgrade,
  streams: RemoteCommandStreams,
  ...options: O
) => Promise<ServedCommand | undefined>;
