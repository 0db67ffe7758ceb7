/**
 * Runs the fakes in a separate process, because journeys count the open resources of the test process. The setup sends the
 * {@link FakesConfig}. This process exits when the setup disconnects.
 *
 * @module
 */
import { once } from "node:events";
import { readdirSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type FakeFlavor, FakeRuntime, type FakeRuntimeOptions, HostProcessBackend } from "k8s-cri-client/testing";
import { type ControlledRuntime, serveControl } from "../runtime/control.js";
import { type TlsFiles, writeCertificates } from "../runtime/lab/tls.js";
import type { ProvidedRuntime } from "../runtime/provided.js";
import { images, password, privateRegistry, registryOptions } from "./registry.js";

/** Which fakes to start. */
export interface FakesConfig {
  /** Contains the sockets and all other files of the fakes. */
  folder: string;
  flavors: readonly FakeFlavor[];
  /** Number of test workers. Each gets one fake of each flavour. */
  workers: number;
}

const runtimeHandlers = ["runc", "alternative"];

/** The TCP endpoints, as in the lab: one serves CRI and one does not. */
const overTcp: Partial<Record<FakeFlavor, { serveCri: boolean }>> = {
  "containerd-1.7": { serveCri: false },
  "containerd-2": { serveCri: true },
};

if (!process.send) throw new Error("fakes.ts must be started by global-setup.ts of the conformance tests");
// process.exit() runs the exit handlers, which end the containers' processes.
for (const end of ["disconnect", "SIGINT", "SIGTERM", "SIGHUP"]) process.once(end, () => process.exit());
const [config] = (await once(process, "message")) as [FakesConfig];
/** CRI-O is configured as with `enable_pod_events`. */
const settings: Partial<Record<FakeFlavor, FakeRuntimeOptions>> = {
  "cri-o": { events: "broadcast", logDirectory: join(config.folder, "crio-logs") },
};
process.once("exit", () => {
  // The folder itself may be a mount, which cannot be removed.
  for (const name of readdirSync(config.folder)) rmSync(join(config.folder, name), { recursive: true, force: true });
});
const tls = await writeCertificates(join(config.folder, "tls"));
const digests = await digestsOf();
const byWorker: ProvidedRuntime[][] = [];
for (let worker = 0; worker < config.workers; worker++) byWorker.push(await startAll(join(config.folder, `${worker}`)));
process.send(byWorker);

async function startAll(prefix: string): Promise<ProvidedRuntime[]> {
  const controlSocket = `${prefix}.control`;
  const controlled: ControlledRuntime[] = [];
  const provided: ProvidedRuntime[] = [];
  for (const flavor of config.flavors) {
    const options: FakeRuntimeOptions = {
      flavor,
      ...registryOptions,
      ...settings[flavor],
      runtimeHandlers,
      criu: false,
    };
    const runtime = await FakeRuntime.start({
      ...options,
      endpoint: `${prefix}.${flavor}`,
      backend: new HostProcessBackend(),
    });
    await using client = await runtime.connect();
    const { runtimeName, runtimeVersion: version } = await client.version();
    const name = `${runtimeName}-${version.split(".", 2).join(".")}`;
    controlled.push(controlFor(name, runtime));
    const tcp = overTcp[flavor] && (await startTcp(options, overTcp[flavor].serveCri, tls));
    provided.push({
      name,
      runtimeName,
      version,
      flavor,
      endpoint: runtime.endpoint,
      imageEndpoint: runtime.endpoint,
      image: images.busybox,
      lab: {
        images: { ...images, digests },
        registry: { address: images.busybox.split("/")[0] as string },
        privateRegistry: { ...privateRegistry, serverAddress: `http://${privateRegistry.address}`, ...password },
        registriesFolder: "",
        handlers: runtimeHandlers,
        logFile: "",
        subnet: "10.88.0.0/16",
        controlSocket,
        ...(tcp && { tcp }),
      },
    });
  }
  await serveControl(controlSocket, controlled);
  return provided;
}

function controlFor(name: string, runtime: FakeRuntime): ControlledRuntime {
  return {
    name,
    start: () => runtime.restart(),
    stop: () => runtime.kill(),
    kill: () => runtime.kill(),
    restart: () => runtime.restart(),
    freeze: async () => runtime.freeze(),
    thaw: async () => runtime.thaw(),
  };
}

/** Starts a second fake for the TCP endpoint, because a fake has one endpoint only. */
async function startTcp(options: FakeRuntimeOptions, serveCri: boolean, { server, client }: TlsFiles) {
  const [cert, key, clientCa] = await Promise.all(
    [server.certificateFile, server.keyFile, server.clientAuthorityFile].map((file) => readFile(file)),
  );
  const { endpoint } = await FakeRuntime.start({
    ...options,
    serveCri,
    endpoint: "https://127.0.0.1:0",
    tls: { cert: cert as Buffer, key: key as Buffer, clientCa },
    backend: new HostProcessBackend(),
  });
  return { address: new URL(endpoint).host, servesCri: serveCri, ...client };
}

/** Returns the digest of each image, which is the same on every fake. */
async function digestsOf(): Promise<Record<string, string>> {
  const references = Object.values(images);
  await using runtime = await FakeRuntime.start({ images: references });
  return Object.fromEntries(
    runtime.images.map(({ repoTags, repoDigests }) => [repoTags[0], repoDigests[0]?.split("@")[1] ?? ""]),
  );
}
