import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InvalidInputError } from "../errors.js";
import type { ListenAddress } from "./wire/grpc-server.js";

/** Linux takes 107 bytes, macOS 103. */
const longestSocketPath = 103;

/** Where a runtime listens, and the folder that goes with it when it stops. */
export interface Placement {
  readonly address: ListenAddress;
  readonly ownFolder: string | undefined;
}

/** Reads an endpoint; without one, makes a folder for a socket. */
export async function place(endpoint: string | undefined): Promise<Placement> {
  if (endpoint === undefined) {
    const folder = await mkdtemp(join(tmpdir(), "cri-"));
    try {
      return { address: { path: checkPath(join(folder, "s")) }, ownFolder: folder };
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }
  const path = /^(?:unix:(?:\/\/)?)?(\/.*)$/.exec(endpoint)?.[1];
  if (path !== undefined) return { address: { path: checkPath(path) }, ownFolder: undefined };
  const tcp = /^(?:(?:https?|tcp):\/\/)?(\[[0-9a-f:]+\]|[\w.-]+):(\d{1,5})\/?$/i.exec(endpoint);
  if (!tcp) {
    const message = "expected an absolute socket path, unix:///path or http://host:port";
    throw new InvalidInputError({ field: "endpoint", message, value: endpoint });
  }
  const host = (tcp[1] as string).replace(/^\[|\]$/g, "");
  return { address: { host, port: Number(tcp[2]) }, ownFolder: undefined };
}

/** What clients are told. */
export function toEndpoint(address: ListenAddress, secure: boolean): string {
  if ("path" in address) return `unix://${address.path}`;
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `${secure ? "https" : "http"}://${host}:${address.port}`;
}

function checkPath(path: string): string {
  if (Buffer.byteLength(path) <= longestSocketPath) return path;
  const message = `a socket path may have ${longestSocketPath} bytes`;
  throw new InvalidInputError({ field: "endpoint", message, value: path });
}
