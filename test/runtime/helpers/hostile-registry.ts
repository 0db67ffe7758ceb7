/**
 * A registry that serves one small image, and lets a test replace the response for a part of it.
 *
 * @module
 */
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import { configureRegistry } from "../lab/registry.js";

/** A part of an image, in the order in which runtimes request them. */
export type Part = "manifest" | "config" | "layer";

/** Sends a response instead of the content of a part. */
export type Respond = (response: ServerResponse, content: Buffer, headers: Record<string, string>) => void;

/** Answers a request itself and returns true, or returns false so that the registry answers it. */
export type Intercept = (request: IncomingMessage, response: ServerResponse) => boolean;

export class HostileRegistry implements AsyncDisposable {
  /** The part whose response is replaced. Unset at first. */
  fault: { part: Part; respond: Respond } | undefined;
  /** Number of requests without a complete response. */
  pending = 0;

  private constructor(
    private readonly server: Server,
    /** Reference of the image, which no other registry has. */
    readonly reference: string,
  ) {}

  static async start(registriesFolder: string, intercept: Intercept = () => false): Promise<HostileRegistry> {
    const { parts, partAt } = await buildImage();
    const server = createServer((request, response) => {
      if (intercept(request, response)) return;
      const part = partAt(request.url ?? "");
      if (!part) {
        response.writeHead(request.url === "/v2/" ? 200 : 404).end();
        return;
      }
      registry.pending++;
      response.once("close", () => registry.pending--);
      const { content, headers } = parts[part];
      if (registry.fault?.part === part) {
        registry.fault.respond(response, content, headers);
      } else {
        response.writeHead(200, { ...headers, "content-length": content.length });
        response.end(request.method === "HEAD" ? undefined : content);
      }
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const registry = new HostileRegistry(server, `${address}/hostile:1`);
    await configureRegistry(registriesFolder, address);
    return registry;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
  }
}

interface Served {
  content: Buffer;
  headers: Record<string, string>;
}

/** Builds an image of one file with random content, because runtimes cache what they have fetched. */
async function buildImage(): Promise<{ parts: Record<Part, Served>; partAt(url: string): Part | undefined }> {
  const archive = pack();
  archive.entry({ name: "noise" }, randomBytes(200_000));
  archive.finalize();
  const unpacked = await buffer(archive);
  const layer = gzipSync(unpacked);
  const config = json({
    architecture: { x64: "amd64", ia32: "386" }[process.arch as string] ?? process.arch,
    os: "linux",
    config: {},
    rootfs: { type: "layers", diff_ids: [digestOf(unpacked)] },
  });
  const type = "application/vnd.oci.image";
  const described = (mediaType: string, content: Buffer) => ({
    mediaType,
    digest: digestOf(content),
    size: content.length,
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: `${type}.manifest.v1+json`,
    config: described(`${type}.config.v1+json`, config),
    layers: [described(`${type}.layer.v1.tar+gzip`, layer)],
  });
  const served = (content: Buffer, mediaType: string): Served => ({
    content,
    headers: { "content-type": mediaType, "docker-content-digest": digestOf(content) },
  });
  const parts = {
    manifest: served(manifest, `${type}.manifest.v1+json`),
    config: served(config, "application/octet-stream"),
    layer: served(layer, "application/octet-stream"),
  };
  const partAt = (url: string) => {
    if (url.includes("/manifests/")) return "manifest";
    return (["config", "layer"] as const).find((part) => url.endsWith(digestOf(parts[part].content)));
  };
  return { parts, partAt };
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function digestOf(content: Buffer): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}
