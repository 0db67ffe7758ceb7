import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InvalidInputError } from "../errors.js";
import { npipeEndpoint, parseEndpoint } from "../transport/endpoint.js";
import { folderPrefix, removeLeftovers, socketName } from "./leftovers.js";
import type { ListenAddress } from "./wire/grpc-server.js";

/** Linux takes 107 bytes, macOS 103. */
const longestSocketPath = 103;

/** Where a runtime listens, and the folder that goes with it when it stops. */
export interface Placement {
  readonly address: ListenAddress;
  readonly ownFolder: string | undefined;
}

const pipe = /^\\\\[^\\]+\\pipe\\/i;

/** Reads an endpoint. Without one, makes a folder for a socket, or on Windows the name of a pipe. */
export async function place(endpoint: string | undefined, platform = process.platform): Promise<Placement> {
  if (endpoint === undefined && platform === "win32") {
    return { address: { path: `\\\\.\\pipe\\cri-${randomUUID()}` }, ownFolder: undefined };
  }
  if (endpoint === undefined) {
    await removeLeftovers(tmpdir());
    const folder = await mkdtemp(join(tmpdir(), folderPrefix(process.pid)));
    try {
      return { address: { path: checkPath(join(folder, socketName)) }, ownFolder: folder };
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }
  if (/^npipe:|^\\\\/i.test(endpoint)) {
    const { path } = parseEndpoint(endpoint, { platform }) as { path: string };
    return { address: { path }, ownFolder: undefined };
  }
  const path = /^(?:unix:(?:\/\/)?)?(\/.*)$/.exec(endpoint)?.[1];
  if (path !== undefined) return { address: { path: checkPath(path) }, ownFolder: undefined };
  const tcp = /^(?:(?:https?|tcp):\/\/)?(\[[0-9a-f:]+\]|[\w.-]+):(\d{1,5})\/?$/i.exec(endpoint);
  if (!tcp) {
    const message =
      "expected an absolute socket path, unix:///path, http://host:port, or npipe:////./pipe/name on Windows";
    throw new InvalidInputError({ field: "endpoint", message, value: endpoint });
  }
  const host = (tcp[1] as string).replace(/^\[|\]$/g, "");
  return { address: { host, port: Number(tcp[2]) }, ownFolder: undefined };
}

/** What clients are told. */
export function toEndpoint(address: ListenAddress, secure: boolean): string {
  if ("path" in address)
    return pipe.test(address.path) ? npipeEndpoint(address.path).display : `unix://${address.path}`;
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `${secure ? "https" : "http"}://${host}:${address.port}`;
}

function checkPath(path: string): string {
  if (Buffer.byteLength(path) <= longestSocketPath) return path;
  const message = `a socket path may have ${longestSocketPath} bytes`;
  throw new InvalidInputError({ field: "endpoint", message, value: path });
}
