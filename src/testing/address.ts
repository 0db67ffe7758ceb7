import { randomUUID } from "node:crypto";
import { lookup } from "node:dns/promises";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InvalidInputError } from "../errors.js";
import { isLoopback } from "../internal/loopback.js";
import {
  type NpipeEndpoint,
  npipeEndpoint,
  parseEndpoint,
  type UnixEndpoint,
  unixEndpoint,
} from "../transport/endpoint.js";
import { folderPrefix, removeStaleFolders, socketName } from "./stale-folders.js";
import type { ListenAddress } from "./wire/grpc-server.js";

/** The address of a runtime, and the folder to remove when it stops. */
export interface Placement {
  readonly address: ListenAddress;
  readonly ownFolder: string | undefined;
}

const pipe = /^\\\\[^\\]+\\pipe\\/i;

/** Parses an endpoint. Without one, creates a folder for a socket, or on Windows chooses the name of a pipe. */
export async function resolvePlacement(endpoint: string | undefined, platform = process.platform): Promise<Placement> {
  if (endpoint === undefined && platform === "win32") {
    return { address: { path: `\\\\.\\pipe\\cri-${randomUUID()}` }, ownFolder: undefined };
  }
  if (endpoint === undefined) {
    await removeStaleFolders(tmpdir());
    const folder = await mkdtemp(join(tmpdir(), folderPrefix(process.pid)));
    try {
      return { address: { path: pathOf(join(folder, socketName), platform) }, ownFolder: folder };
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }
  if (/^(?:npipe:|unix:(?!@)|[\\/])/i.test(endpoint)) {
    return { address: { path: pathOf(endpoint, platform) }, ownFolder: undefined };
  }
  const tcp = /^(?:(?:https?|tcp):\/\/)?(\[[0-9a-f:]+\]|[\w.-]+):(\d{1,5})\/?$/i.exec(endpoint);
  if (!tcp) {
    const message =
      "expected an absolute socket path, unix:///path, http://host:port, or npipe:////./pipe/name on Windows";
    throw new InvalidInputError({ field: "endpoint", message, value: endpoint });
  }
  const host = (tcp[1] as string).replace(/^\[|\]$/g, "");
  return { address: { host, port: Number(tcp[2]) }, ownFolder: undefined };
}

/**
 * Checks that only this machine can connect to an address. A name must resolve to loopback addresses only.
 *
 * @throws InvalidInputError for any other address, and for a name without an address
 */
export async function checkLocal(address: ListenAddress): Promise<void> {
  if ("path" in address) return;
  const { host } = address;
  const found = await lookup(host, { all: true }).catch((cause: unknown) => {
    throw new InvalidInputError({ field: "endpoint", message: "has a host without an address", value: host, cause });
  });
  if (found.every((one) => isLoopback(one.address))) return;
  const message =
    "lets other machines run commands on this one, because HostProcessBackend does not isolate them; use a unix socket or 127.0.0.1, or set allowRemoteShell";
  throw new InvalidInputError({ field: "endpoint", message, value: host });
}

/** Formats an address as the endpoint for clients. */
export function toEndpoint(address: ListenAddress, secure: boolean): string {
  if ("path" in address) return (pipe.test(address.path) ? npipeEndpoint : unixEndpoint)(address.path).display;
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `${secure ? "https" : "http"}://${host}:${address.port}`;
}

/** Returns the path of a socket or a named pipe. */
function pathOf(endpoint: string, platform: NodeJS.Platform): string {
  return (parseEndpoint(endpoint, { platform }) as UnixEndpoint | NpipeEndpoint).path;
}
