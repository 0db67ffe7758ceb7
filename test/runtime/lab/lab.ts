/**
 * Runs several versions of containerd side by side, with registries and images, on a machine where none of them is installed.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { chmod, mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cacheFolder } from "./cache.js";
import { Containerd } from "./containerd.js";
import { type LabImages, pushAll } from "./images.js";
import { withLock } from "./lock.js";
import { chooseSubnet, readForwarding } from "./network.js";
import { identify, processScope } from "./processes.js";
import { fetchPrograms, type LabVersion, labVersions, type Programs, releases } from "./programs.js";
import { type LabRecord, readRecords, stateOf, writeRecord } from "./records.js";
import { configureRegistry, freePort, Registry } from "./registry.js";
import { environmentMark, tearDown, tearDownAbandoned } from "./teardown.js";
import { type LabTcp, writeCertificates } from "./tls.js";

export { type LabAvailability, labAvailability } from "./availability.js";
export type { LabImages } from "./images.js";
export { type LabVersion, labVersions, parseVersions, prepareLab } from "./programs.js";
export type { LabTcp } from "./tls.js";

export interface LabOptions {
  /** @defaultValue all versions */
  versions?: readonly LabVersion[];
  /** Versions that also listen on a TCP port with mutual TLS, and whether they serve CRI there. */
  tcp?: Partial<Record<LabVersion, "cri" | "without-cri">>;
  /** Whether `npm run lab -- down` without an id may stop it. @defaultValue false */
  manual?: boolean;
  /** Whether SIGINT, SIGTERM and SIGHUP stop it at once. @defaultValue true */
  stopOnSignal?: boolean;
}

export interface LabInstance {
  /** For example `containerd-1.7`. */
  name: string;
  /** For example `1.7.24`. */
  version: string;
  /** For example `unix:///…/s.sock`. */
  endpoint: string;
  /** Names of the runtime handlers, the default first. */
  handlers: string[];
  logFile: string;
  subnet: string;
  tcp?: LabTcp;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Kills containerd only. Pods and containers keep running. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  restart(): Promise<void>;
}

export interface PrivateRegistry {
  address: string;
  /** The address for `AuthConfig`. It has a scheme, because containerd cannot parse an address that starts with a digit. */
  serverAddress: string;
  username: string;
  password: string;
}

export interface Lab {
  id: string;
  folder: string;
  instances: LabInstance[];
  registry: { address: string };
  privateRegistry: PrivateRegistry;
  /** The registry configuration, which runtimes read at every pull; see {@link configureRegistry}. */
  registriesFolder: string;
  images: LabImages;
  /** Stops the lab and removes all its resources. Later calls do nothing. */
  stop(): Promise<void>;
}

/** Removes the remains of crashed labs, and starts a new one. {@link Lab.stop} or the end of this process stops it. */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const versions = options.versions ?? labVersions;
  const programs = await fetchPrograms(versions);
  const record = await register(versions, programs.busybox, options.manual ?? false);
  const release = tearDownWithOwner(record, options.stopOnSignal ?? true);
  try {
    const lab = await assemble(record, versions, options, programs);
    record.endpoints = Object.fromEntries(lab.instances.map(({ name, endpoint }) => [name, endpoint]));
    await writeRecord(record);
    return { ...lab, stop: async () => release() };
  } catch (error) {
    release();
    throw error;
  }
}

/** Removes abandoned labs, and records the resources of the new one before it creates them. Runs in one process at a time. */
async function register(versions: readonly LabVersion[], busybox: string, manual: boolean): Promise<LabRecord> {
  return await withLock(join(cacheFolder(), "labs"), async () => {
    tearDownAbandoned();
    const others = readRecords().filter((other) => stateOf(other) !== "abandoned");
    const owner = identify(process.pid);
    if (owner === undefined) throw new Error(`/proc has no entry for this process (${process.pid})`);
    const id = randomBytes(4).toString("hex");
    const subnets: string[] = [];
    for (const _ of versions) subnets.push(chooseSubnet([...others.flatMap((other) => other.subnets), ...subnets]));
    const record: LabRecord = {
      id,
      owner,
      manual,
      scope: processScope(),
      started: new Date().toISOString(),
      folder: join(shortTemporaryFolder(), `cri-lab-${id}`),
      bridges: versions.map((_, index) => `crilab${id}${index}`),
      subnets,
      cgroups: versions.map((_, index) => `cri-lab-${id}-${index}`),
      forwardingBefore: others[0]?.forwardingBefore ?? readForwarding(),
      busybox,
      endpoints: {},
    };
    await writeRecord(record);
    return record;
  });
}

/** Returns a short temporary folder, because socket paths can have at most 107 bytes. */
function shortTemporaryFolder(): string {
  return tmpdir().length > 60 ? "/tmp" : tmpdir();
}

async function assemble(
  record: LabRecord,
  versions: readonly LabVersion[],
  options: LabOptions,
  programs: Programs,
): Promise<Omit<Lab, "stop">> {
  const { folder } = record;
  const [mark = "", id = ""] = environmentMark(record.id).split("=");
  // Passes no other variables: the registry, for example, reads every REGISTRY_… as a setting.
  const environment = {
    PATH: process.env.PATH ?? "/usr/sbin:/usr/bin:/sbin:/bin",
    HOME: folder,
    [mark]: id,
    LD_LIBRARY_PATH: programs.libraries.join(":"),
  };
  await mkdir(folder, { recursive: true });
  // Containers of any user must be able to read the folders that tests mount from here.
  await chmod(folder, 0o755);

  const credentials = { username: "lab", password: randomBytes(12).toString("hex") };
  const start = (name: string, extra: object = {}) =>
    Registry.start({ folder: join(folder, name), program: programs.registry, environment, ...extra });
  const [registry, privateRegistry] = await Promise.all([start("registry"), start("private", { credentials })]);
  const registriesFolder = join(folder, "certs.d");
  for (const { address } of [registry, privateRegistry]) await configureRegistry(registriesFolder, address);

  const pushing = pushAll(registry, privateRegistry, programs);
  const tls = options.tcp === undefined ? undefined : await writeCertificates(join(folder, "tls"));
  const starting = versions.map(async (version, index): Promise<LabInstance> => {
    const name = `containerd-${version}`;
    const tcp = options.tcp?.[version];
    const address = tcp === undefined ? undefined : `127.0.0.1:${await freePort()}`;
    const servesCri = tcp === "cri";
    const bin = join(programs.containerd[version], "usr/bin");
    const containerd = new Containerd({
      name,
      folder: join(folder, `c${index}`),
      format: releases[version].format,
      programs: {
        containerd: join(bin, "containerd"),
        "containerd-shim-runc-v2": join(bin, "containerd-shim-runc-v2"),
        runc: programs.runc,
      },
      handlers: programs.handlers,
      cniProgramFolder: programs.cniFolder,
      sandboxImage: `${registry.address}/pause:1`,
      registriesFolder,
      bridge: record.bridges[index] ?? "",
      subnet: record.subnets[index] ?? "",
      cgroup: record.cgroups[index] ?? "",
      busybox: programs.busybox,
      tini: programs.tini,
      environment,
      ...(tls && address !== undefined && { tcp: { address, servesCri, ...tls.server } }),
    });
    await containerd.start();
    return {
      name,
      version: containerd.version,
      endpoint: `unix://${containerd.socket}`,
      handlers: [...programs.handlers.keys()],
      logFile: containerd.logFile,
      subnet: record.subnets[index] ?? "",
      ...(tls && address !== undefined && { tcp: { address, servesCri, ...tls.client } }),
      start: () => containerd.start(),
      stop: () => containerd.stop(),
      kill: (signal) => containerd.kill(signal),
      restart: () => containerd.restart(),
    };
  });
  // Waits until all have settled, because a failure tears down the lab, and nothing may start after that.
  const results = await Promise.allSettled([pushing, ...starting]);
  for (const result of results) if (result.status === "rejected") throw result.reason;
  return {
    id: record.id,
    folder,
    instances: await Promise.all(starting),
    registry: { address: registry.address },
    privateRegistry: {
      address: privateRegistry.address,
      serverAddress: `http://${privateRegistry.address}`,
      ...credentials,
    },
    registriesFolder,
    images: await pushing,
  };
}

const endSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Tears down the lab when this process ends. Returns a function that tears it down earlier. */
function tearDownWithOwner(record: LabRecord, stopOnSignal: boolean): () => void {
  let down = false;
  const release = () => {
    process.off("exit", release);
    for (const name of endSignals) process.off(name, onSignal);
    if (down) return;
    tearDown(record);
    down = true;
  };
  const onSignal = (name: NodeJS.Signals) => {
    release();
    // Without other listeners, the signal must end the process as it does by default.
    if (process.listenerCount(name) === 0) process.kill(process.pid, name);
  };
  process.on("exit", release);
  if (stopOnSignal) for (const name of endSignals) process.on(name, onSignal);
  return release;
}
