import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CriClient, CriError, EndpointError, loadCrictlConfig } from "k8s-cri-client";

/** The runtime to use and why. */
export interface ChosenRuntime {
  /** The first line: which one, and why. */
  readonly announcement: string;
  /** Whether it is brought up by this program, and goes with everything that is in it. */
  readonly isOurs: boolean;
  /** What it takes to bring it up, in words; absent when it runs already. */
  readonly starting?: string;
  /** Connects, after bringing it up if it is ours. */
  connect(): Promise<CriClient>;
  /** An image that is known to be there. */
  image?(): string;
  /** A folder that its containers can write to, if it is not the usual one. */
  scratch?(): string;
  /** Takes it down, if it is ours. */
  stop(): Promise<void>;
}

/** The named runtime; else the one that is found; else one of our own, real if this machine can run it. */
export async function chooseRuntime(endpoint: string | undefined, signal: AbortSignal): Promise<ChosenRuntime> {
  if (endpoint !== undefined) {
    return running(await CriClient.connect({ endpoint, signal }), "as --endpoint says");
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

/** Such as `containerd 2.1.9`. */
export function nameOf({ runtimeName, runtimeVersion }: { runtimeName: string; runtimeVersion: string }): string {
  return `${runtimeName} ${runtimeVersion.replace(/\+unknown$/, "")}`;
}

/** Where the endpoint came from that discovery found. */
async function origin(): Promise<string> {
  if (process.env.CONTAINER_RUNTIME_ENDPOINT) return "named by CONTAINER_RUNTIME_ENDPOINT";
  const config = await loadCrictlConfig();
  return config?.runtimeEndpoint ? "named by crictl's configuration file" : "found at its usual place";
}

/** Why there is no runtime to use; throws if one was named that does not work. */
function whyNone(error: unknown): string {
  if (!(error instanceof EndpointError)) throw error;
  const used = error.tried.find(({ outcome }) => outcome === "used");
  if (used === undefined) {
    const denied = error.tried.find(({ outcome }) => /permission/i.test(outcome));
    return denied ? `there is no permission to use ${denied.endpoint}` : "no container runtime was found here";
  }
  if (used.source !== "well-known sockets") throw error;
  const speaksNoCri = CriError.is(error, "UNIMPLEMENTED");
  return `${used.endpoint} ${speaksNoCri ? "does not serve CRI (Docker's containerd has it turned off)" : "does not answer"}`;
}

function ownContainerd(missing: string, signal: AbortSignal): ChosenRuntime {
  let lab: import("../../test/runtime/lab/lab.js").Lab | undefined;
  return {
    announcement: `Runtime: a containerd of our own, which goes away again at the end, because ${missing}.`,
    isOurs: true,
    starting: "Bring up containerd (the first time, its Debian packages are downloaded)",
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
    announcement: `Runtime: a fake whose containers are processes of this machine, without isolation, because ${missing} and containerd cannot be brought up (${noContainerd}).`,
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
