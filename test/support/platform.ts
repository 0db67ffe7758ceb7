/**
 * What differs between Linux, macOS and Windows, for tests that run on all of them.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { npipeEndpoint, unixEndpoint } from "../../src/transport/endpoint.js";

export const isWindows = process.platform === "win32";

/** A condition for `test.skipIf` and `describe.skipIf`: on Windows, it prints what is skipped, and why. */
export function skipOnWindows(reason: string): boolean {
  return skipWhere(isWindows, reason);
}

/** The same for anything that a machine may lack: it prints what is skipped where `missing` is true. */
export function skipWhere(missing: boolean, reason: string): boolean {
  if (missing) console.warn(`SKIPPED on ${process.platform}: ${reason}`);
  return missing;
}

/** Whether this process may mount file systems. Only Linux is asked, in a mount namespace of its own. */
export function canMount(): boolean {
  const mount = ["--mount", "mount", "-t", "tmpfs", "tmpfs", tmpdir()];
  return process.platform === "linux" && spawnSync("unshare", mount, { stdio: "ignore" }).status === 0;
}

/** A place to listen at: a socket in a folder, or on Windows a named pipe. */
export interface LocalAddress {
  /** What `net.Server.listen` and `net.connect` take. */
  readonly path: string;
  /** What a client of this package takes. */
  readonly endpoint: string;
  /** What grpc-js and nice-grpc listen at. */
  readonly target: string;
}

/** An address in a temporary folder, which makes it unique on Windows too. */
export function localAddress(folder: string, name = "s.sock"): LocalAddress {
  const { path, display, target } = isWindows
    ? npipeEndpoint(`//./pipe/${basename(folder)}-${name}`)
    : unixEndpoint(join(folder, name));
  return { path, endpoint: display, target };
}

/** An endpoint that is valid on this platform and that nothing listens at. */
export const nowhere = isWindows ? "npipe:////./pipe/cri-nowhere" : "/nonexistent/runtime.sock";
