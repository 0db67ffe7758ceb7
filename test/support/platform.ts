/**
 * Differences between Linux, macOS and Windows, for tests that run on all of them.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { npipeEndpoint, unixEndpoint } from "../../src/transport/endpoint.js";

export const isWindows = process.platform === "win32";

/** Returns the condition for `test.skipIf` and `describe.skipIf`. On Windows, prints the reason. */
export function skipOnWindows(reason: string): boolean {
  return skipWhere(isWindows, reason);
}

/** Returns the condition for tests that need something that a machine may lack. If it is missing, prints the reason. */
export function skipWhere(missing: boolean, reason: string): boolean {
  if (missing) console.warn(`SKIPPED on ${process.platform}: ${reason}`);
  return missing;
}

/** Returns whether this process may mount file systems. Tries a mount in a new mount namespace, on Linux only. */
export function canMount(): boolean {
  const mount = ["--mount", "mount", "-t", "tmpfs", "tmpfs", tmpdir()];
  return process.platform === "linux" && spawnSync("unshare", mount, { stdio: "ignore" }).status === 0;
}

/** An address to listen on: a socket in a folder, or a named pipe on Windows. */
export interface LocalAddress {
  /** For `net.Server.listen` and `net.connect`. */
  readonly path: string;
  /** For clients of this package. */
  readonly endpoint: string;
  /** For servers of grpc-js and nice-grpc. */
  readonly target: string;
}

/** Returns an address in a temporary folder. On Windows, the pipe's name contains the folder's name, so that it is unique. */
export function localAddress(folder: string, name = "s.sock"): LocalAddress {
  const { path, display, target } = isWindows
    ? npipeEndpoint(`//./pipe/${basename(folder)}-${name}`)
    : unixEndpoint(join(folder, name));
  return { path, endpoint: display, target };
}

/** A valid endpoint without a listener. */
export const unusedEndpoint = isWindows ? "npipe:////./pipe/cri-nowhere" : "/nonexistent/runtime.sock";
