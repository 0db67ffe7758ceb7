/**
 * Builds small images from two static programs, and pushes them over a registry's HTTP API.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { pack } from "tar-stream";
import { run } from "./command.js";
import type { Registry } from "./registry.js";

/** The configuration of an image, with the fields of the OCI image specification. */
export interface ImageConfig {
  Entrypoint?: string[];
  Cmd?: string[];
  Env?: string[];
  User?: string;
  WorkingDir?: string;
  Labels?: Record<string, string>;
  StopSignal?: string;
  ExposedPorts?: Record<string, Record<string, never>>;
}

/** A compressed file system layer, with the digest of its uncompressed content. */
export interface Layer {
  compressed: Buffer;
  contentDigest: string;
}

/** A fixed creation time of all files and images, so that the same programs give the same digests. */
const created = new Date("2024-01-01T00:00:00Z");
const path = "PATH=/bin";

/** The images of the public registry. */
export const publicImages = {
  "busybox:1": { Cmd: ["/bin/sh"], Env: [path] },
  "busybox:2": { Cmd: ["/bin/sh"], Env: [path, "EDITION=2"] },
  "pause:1": { Entrypoint: ["/bin/tini", "--", "/bin/sleep", "infinity"], Env: [path] },
  "demo:1": {
    Entrypoint: ["/bin/tini", "--"],
    Cmd: ["/bin/sleep", "infinity"],
    Env: [path, "GREETING=hello", "EMPTY="],
    User: "1000:1000",
    WorkingDir: "/home/app",
    Labels: { "org.opencontainers.image.title": "demo", "example.test/purpose": "tests of image metadata" },
    StopSignal: "SIGINT",
    ExposedPorts: { "8080/tcp": {} },
  },
} as const satisfies Record<string, unknown>;

/** The images of the registry that requires a password. */
export const privateImages = {
  "private/busybox:1": { Cmd: ["/bin/sh"], Env: [path, "EDITION=private"] },
} as const satisfies Record<string, unknown>;

/** References of the images in the registries. */
export interface LabImages {
  busybox: string;
  /** Another image with the same layer. */
  busybox2: string;
  pause: string;
  /** With labels, variables, a user, an entry point and a stop signal. */
  demo: string;
  /** An image in the registry that requires a password. */
  privateBusybox: string;
  /** Digests of the manifests, by reference. */
  digests: Record<string, string>;
}

/** Builds the layer that all images share: busybox with links for all its applets, tini, and two users. */
export async function buildLayer(busybox: string, tini: string): Promise<Layer> {
  const archive = pack();
  const archived = buffer(archive);
  const common = { mtime: created, uid: 0, gid: 0 };
  const folder = (name: string, mode = 0o755, owner = 0) =>
    archive.entry({ ...common, name: `${name}/`, type: "directory", mode, uid: owner, gid: owner });
  const file = (name: string, content: Buffer | string, mode = 0o644) =>
    archive.entry({ ...common, name, mode }, content);

  for (const name of ["bin", "dev", "etc", "home", "proc", "root", "sys", "var"]) folder(name);
  folder("tmp", 0o1777);
  folder("home/app", 0o755, 1000);
  file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/home/app:/bin/sh\n");
  file("etc/group", "root:x:0:\napp:x:1000:\nextra:x:2000:app\n");
  file("bin/busybox", await readFile(busybox), 0o755);
  file("bin/tini", await readFile(tini), 0o755);
  for (const applet of (await run(busybox, ["--list"])).trim().split("\n").sort()) {
    // A link of this name would replace the program itself.
    if (applet === "busybox") continue;
    archive.entry({ ...common, name: `bin/${applet}`, type: "symlink", linkname: "busybox", mode: 0o777 });
  }
  archive.finalize();
  const content = await archived;
  return { compressed: await promisify(gzip)(content), contentDigest: digestOf(content) };
}

/** Pushes all images to both registries. */
export async function pushAll(
  registry: Registry,
  privateRegistry: Registry,
  programs: { busybox: string; tini: string },
): Promise<LabImages> {
  const layer = await buildLayer(programs.busybox, programs.tini);
  const digests: Record<string, string> = {};
  for (const [target, images] of [
    [registry, publicImages],
    [privateRegistry, privateImages],
  ] as const) {
    for (const [name, config] of Object.entries(images)) {
      digests[`${target.address}/${name}`] = await pushImage(target, name, config, layer);
    }
  }
  return {
    busybox: `${registry.address}/busybox:1`,
    busybox2: `${registry.address}/busybox:2`,
    pause: `${registry.address}/pause:1`,
    demo: `${registry.address}/demo:1`,
    privateBusybox: `${privateRegistry.address}/private/busybox:1`,
    digests,
  };
}

/** Pushes an image with one layer, and returns the digest of its manifest. */
export async function pushImage(registry: Registry, name: string, config: ImageConfig, layer: Layer): Promise<string> {
  const [repository = "", tag = ""] = name.split(":");
  const configuration = Buffer.from(
    JSON.stringify({
      created: created.toISOString(),
      architecture: { x64: "amd64", ia32: "386" }[process.arch as string] ?? process.arch,
      os: "linux",
      config,
      rootfs: { type: "layers", diff_ids: [layer.contentDigest] },
      history: [{ created: created.toISOString(), created_by: "test lab" }],
    }),
  );
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: await pushBlob(registry, repository, configuration, "application/vnd.oci.image.config.v1+json"),
    layers: [await pushBlob(registry, repository, layer.compressed, "application/vnd.oci.image.layer.v1.tar+gzip")],
  });
  await request(registry, `/v2/${repository}/manifests/${tag}`, {
    method: "PUT",
    body: manifest,
    headers: { "content-type": "application/vnd.oci.image.manifest.v1+json" },
  });
  return digestOf(Buffer.from(manifest));
}

async function pushBlob(registry: Registry, repository: string, content: Buffer, mediaType: string) {
  const descriptor = { mediaType, digest: digestOf(content), size: content.length };
  const upload = await request(registry, `/v2/${repository}/blobs/uploads/`, { method: "POST" });
  const location = new URL(upload.headers.get("location") ?? "", `http://${registry.address}`);
  location.searchParams.set("digest", descriptor.digest);
  await request(registry, location.href, {
    method: "PUT",
    body: new Uint8Array(content),
    headers: { "content-type": "application/octet-stream" },
  });
  return descriptor;
}

async function request(registry: Registry, path: string, init: RequestInit): Promise<Response> {
  const reply = await registry.request(path, init);
  const body = await reply.text();
  if (!reply.ok) throw new Error(`the registry responded to ${init.method} ${path} with ${reply.status}: ${body}`);
  return reply;
}

function digestOf(content: Buffer): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}
