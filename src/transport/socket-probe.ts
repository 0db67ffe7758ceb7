import { stat } from "node:fs/promises";
import { connect } from "node:net";
import { onAbort } from "../internal/abort.js";
import { fileKind } from "../internal/files/local-file-error.js";
import type { NpipeEndpoint, UnixEndpoint } from "./endpoint.js";
import { explainDenied, permissionDenied } from "./socket-access.js";
import { pathTooLong } from "./socket-path.js";

/** The result of probing a socket. */
export interface ProbeResult {
  /** Whether a process accepts connections. That process may not speak CRI. */
  reachable: boolean;
  /** A description: `answers`, `no such socket`, `permission denied: …`. */
  outcome: string;
}

/** Options of {@link probeSocket}. */
export interface ProbeOptions {
  /** Stops waiting for the connection. */
  signal?: AbortSignal | undefined;
  /** Where the file system with `/etc/passwd` and `/etc/group` is mounted. @defaultValue "/" */
  root?: string | undefined;
}

/**
 * Checks whether a process listens on a socket or pipe: connects to it, and closes the connection at once. Never rejects: an
 * error becomes the outcome.
 */
export async function probeSocket(
  endpoint: UnixEndpoint | NpipeEndpoint,
  { signal, root }: ProbeOptions = {},
): Promise<ProbeResult> {
  const { path, kind } = endpoint;
  try {
    // Calling stat on a pipe would use up one of its instances.
    if (kind === "unix") {
      const stats = await stat(path);
      if (!stats.isSocket()) {
        const hint = stats.isDirectory() ? " (bind-mounting a missing socket creates one)" : "";
        return { reachable: false, outcome: `not a socket but ${fileKind(stats)}${hint}` };
      }
      const tooLong = pathTooLong(path);
      if (tooLong !== undefined) return { reachable: false, outcome: tooLong };
    }
    await tryConnect(path, signal);
    return { reachable: true, outcome: "answers" };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    switch (code) {
      case "ENOENT":
      case "ENOTDIR":
        return { reachable: false, outcome: kind === "unix" ? "no such socket" : "no such pipe" };
      case "EACCES":
      case "EPERM":
        return {
          reachable: false,
          outcome: kind === "unix" ? await explainDenied(path, root) : `${permissionDenied}: run as administrator`,
        };
      case "ECONNREFUSED":
        return { reachable: false, outcome: "no process listens: a runtime that has stopped left the socket behind" };
      case "EAGAIN": // the queue of new connections is full, so a process listens
        return { reachable: true, outcome: "answers, busy" };
      case "EPROTOTYPE":
        return { reachable: false, outcome: "a datagram socket, which no runtime uses" };
      default:
        return { reachable: false, outcome: code ?? (error as Error).message };
    }
  }
}

function tryConnect(path: string, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    const giveUp = () => socket.destroy(new Error("does not accept a connection in time"));
    const unlisten = signal && onAbort(signal, giveUp);
    if (signal?.aborted) giveUp();
    socket.once("close", () => unlisten?.());
    socket.once("connect", () => {
      socket.destroy();
      resolve();
    });
    socket.once("error", reject);
  });
}
