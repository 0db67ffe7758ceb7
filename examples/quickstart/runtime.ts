import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CriClient, CriError, EndpointError, loadCrictlConfig } from "k8s-cri-client";

/** The runtime to use, and the reason for the choice. */
export interface ChosenRuntime {
  /** The first line of output: the runtime and the reason. */
  readonly announcement: string;
  /** Whether this program starts and stops it. */
  readonly isOurs: boolean;
  /** Describes the start. Absent if the runtime is already running. */
  readonly starting?: string;
  /** Connects. Starts the runtime first if it is ours. */
  connect(): Promise<CriClient>;
  /** An image that the runtime has. */
  image?(): string;
  /** A folder that its containers can write to. @defaultValue /dev/shm */
  scratch?(): string;
  /** Stops the runtime if it is ours. */
  stop(): Promise<void>;
}

/** Chooses the named runtime, else one found on this machine, else a temporary containerd, else a fake. */
export async function chooseRuntime(endpoint: string | undefined, signal: AbortSignal): Promise<ChosenRuntime> {
  if (endpoint !== undefined) {
    return running(await CriClient.connect({ endpoint, signal }), "named by --endpoint");
  }
  let missing: string;
  try {
    return running(await CriClient.connect({ signal }), await origin());
  } catch (error) {
    missing = whyNone(error);
  }
  const { labAvailability } = await import("../../test/runtime/lab/lab.js");
  const availability = labAvailability();
  return availability.available ? ownContainerd(missing, signal) : fake(missing, availability.reason);
}

async function running(client: CriClient, why: string): Promise<ChosenRuntime> {
  return {
    announcement: `Runtime: ${nameOf(await client.version())} at ${client.endpoint}, ${why}.`,
    isOurs: false,
    connect: async () => client,
    stop: async () => {},
  };
}

/** Formats a runtime's name: `containerd 2.1.9`. */
export function nameOf({ runtimeName, runtimeVersion }: { runtimeName: string; runtimeVersion: string }): string {
  return `${runtimeName} ${runtimeVersion.replace(/\+unknown$/, "")}`;
}

/** Returns the source of the discovered endpoint. */
async function origin(): Promise<string> {
  if (process.env.CONTAINER_RUNTIME_ENDPOINT) return "named by CONTAINER_RUNTIME_ENDPOINT";
  const config = await loadCrictlConfig();
  return config?.runtimeEndpoint ? "named by crictl's configuration file" : "found at a well-known path";
}

/** Returns why no runtime was found. Throws if a named runtime does not work. */
function whyNone(error: unknown): string {
  if (!(error instanceof EndpointError)) throw error;
  const used = error.tried.find(({ outcome }) => outcome === "used");
  if (used === undefined) {
    const denied = error.tried.find(({ outcome }) => /permission/i.test(outcome));
    return denied ? `permission to use ${denied.endpoint} is missing` : "no container runtime was found here";
  }
  if (used.source !== "well-known sockets") throw error;
  const speaksNoCri = CriError.is(error, "UNIMPLEMENTED");
  return `${used.endpoint} ${speaksNoCri ? "does not serve CRI (Docker's containerd has it disabled)" : "does not answer"}`;
}

function ownContainerd(missing: string, signal: AbortSignal): ChosenRuntime {
  let lab: import("../../test/runtime/lab/lab.js").Lab | undefined;
  return {
    announcement: `Runtime: a temporary containerd, because ${missing}.`,
    isOurs: true,
    starting: "Start containerd (downloads its Debian packages the first time)",
    connect: async () => {
      const { labVersions, startLab } = await import("../../test/runtime/lab/lab.js");
      lab = await unlessAborted(startLab({ versions: labVersions.slice(-1) }), signal);
      return CriClient.connect({ endpoint: lab.instances[0]?.endpoint, signal });
    },
    image: () => lab?.images.busybox ?? "",
    stop: async () => lab?.stop(),
  };
}

function fake(missing: string, noContainerd: string): ChosenRuntime {
  let scratch = "";
  let stop = async () => {};
  return {
    announcement: `Runtime: a fake whose containers are processes of this machine, without isolation, because ${missing} and containerd cannot be started (${noContainerd}).`,
    isOurs: true,
    connect: async () => {
      const { FakeRuntime, HostProcessBackend } = await import("k8s-cri-client/testing");
      scratch = await mkdtemp(join(tmpdir(), "quickstart-"));
      const runtime = await FakeRuntime.start({ backend: new HostProcessBackend() });
      stop = async () => {
        await runtime.stop();
        await rm(scratch, { recursive: true });
      };
      return CriClient.connect({ endpoint: runtime.endpoint });
    },
    image: () => "docker.io/library/busybox:1.37",
    scratch: () => scratch,
    stop: () => stop(),
  };
}

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  return Promise.race([
    work,
    new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true })),
  ]);
}
