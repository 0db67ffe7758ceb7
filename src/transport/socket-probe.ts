import { stat } from "node:fs/promises";
import { connect } from "node:net";
import { onAbort } from "../internal/abort.js";
import { fileKind } from "../internal/local-file-error.js";
import type { NpipeEndpoint, UnixEndpoint } from "./endpoint.js";
import { explainDenied, permissionDenied } from "./socket-access.js";
import { pathTooLong } from "./socket-path.js";

/** What came of looking at a socket. */
export interface ProbeResult {
  /** Whether something accepts connections there. That it speaks CRI is not known yet. */
  reachable: boolean;
  /** In words: `answers`, `no such socket`, `permission denied: …`. */
  outcome: string;
}

/** How {@link probeSocket} looks. */
export interface ProbeOptions {
  /** Ends the wait for the connection. */
  signal?: AbortSignal | undefined;
  /** Where the file system lies that holds `/etc/passwd` and `/etc/group`. @defaultValue "/" */
  root?: string | undefined;
}

/**
 * Finds out whether anything listens on a socket or pipe by connecting to it and hanging up; a missing file costs no more than a
 * look. Never rejects: whatever is wrong becomes the outcome.
 */
export async function probeSocket(
  endpoint: UnixEndpoint | NpipeEndpoint,
  { signal, root }: ProbeOptions = {},
): Promise<ProbeResult> {
  const { path, kind } = endpoint;
  try {
    // Looking at a pipe would use up one of its instances.
    if (kind === "unix") {
      const stats = await stat(path);
      if (!stats.isSocket()) {
        const hint = stats.isDirectory() ? " (which is what bind-mounting a missing socket makes)" : "";
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
        return { reachable: false, outcome: "nobody listens: left behind by a runtime that has stopped" };
      case "EAGAIN": // its queue of new connections is full, so there is somebody
        return { reachable: true, outcome: "answers, busy" };
      case "EPROTOTYPE":
        return { reachable: false, outcome: "a socket for datagrams, which no runtime has" };
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
