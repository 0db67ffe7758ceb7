import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CriError } from "../../errors.js";
import { toDate } from "../../internal/time.js";
import type { CallOptions } from "../../options.js";
import type { OwnedContainer } from "../../resources/container.js";
import type { OwnedPodSandbox } from "../../resources/pod.js";
import { type Finding, finding } from "../finding.js";
import type { DeepOptions } from "../options.js";
import type { Subject } from "../subject.js";
import { judgeClock } from "./clock.js";

const defaultImage = "docker.io/library/busybox:1.37";
const defaultTimeoutMs = 120_000;

/** What the container writes to its log. */
const greeting = "k8s-cri-client doctor";

/**
 * Runs a pod with a container and uses it as programs do: log, ExecSync, a session. Then removes the pod, its log, and the image if
 * it was pulled for this.
 */
export async function checkPod(subject: Subject): Promise<Finding[]> {
  const { cri, settings } = subject;
  const { image = defaultImage, timeoutMs = defaultTimeoutMs, auth } = settings.deep as DeepOptions;
  const trial = new Trial(subject, { timeoutMs, signal: settings.signal });
  const isNew = await trial.step("the image service pulls images", networkRemedy(image), async (options) => {
    if (await cri.images.get(image, options)) return false;
    await cri.images.pull(image, { ...options, auth });
    return true;
  });
  if (isNew === undefined) return trial.findings;
  let logs: string | undefined;
  try {
    logs = await logFolder(subject);
    await runTrial(trial, image, logs);
  } finally {
    await trial.removePod();
    if (logs !== undefined) await rm(logs, { recursive: true, force: true });
    if (isNew) await trial.removeImage(image);
  }
  return trial.findings;
}

async function runTrial(trial: Trial, image: string, logDirectory: string | undefined): Promise<void> {
  const { cri, status } = trial.subject;
  const hasNetwork = status.status?.conditions.find(({ type }) => type === "NetworkReady")?.status !== false;
  const startedAt = Date.now();
  const pod = await trial.step("the runtime runs pods", sandboxRemedy, (options) =>
    cri.pods.run({ name: `doctor-${randomUUID().slice(0, 8)}`, logDirectory, hostNetwork: !hasNetwork }, options),
  );
  if (pod === undefined) return;
  trial.pod = pod;
  const endedAt = Date.now();
  const container = await trial.step("containers start", startRemedy, (options) => {
    const command = ["sh", "-c", `echo ${greeting}; exec sleep 3600`];
    return pod.runContainer({ name: "main", image, command, terminationGracePeriodSeconds: 0 }, options);
  });
  if (container === undefined) return;
  await trial.step("execSync runs commands", startRemedy, async (options) => {
    await container.execSync(["echo", greeting], { ...options, throwOnNonZero: true });
  });
  await trial.step("exec sessions work, so attach and port-forward can", streamingRemedy, async (options) => {
    await container.execOutput(["echo", greeting], { ...options, throwOnNonZero: true });
  });
  if (logDirectory !== undefined) {
    await trial.step("the log of a container can be read", logRemedy, (options) => readGreeting(container, options));
  }
  const createdAt = toDate((await pod.status({ timeoutMs: trial.subject.settings.timeoutMs })).createdAt)?.getTime();
  if (createdAt !== undefined) {
    const aheadMs = createdAt > endedAt ? createdAt - endedAt : Math.min(0, createdAt - startedAt);
    trial.findings.push({ ...judgeClock(aheadMs), check: "pod" });
  }
}

async function readGreeting(container: OwnedContainer, options: CallOptions): Promise<void> {
  const { timeoutMs, signal } = options;
  for await (const { text } of container.logs({ follow: true, timeoutMs, signal })) {
    if (text === greeting) return;
  }
  throw new CriError({
    code: "NOT_FOUND",
    message: "the log has ended, and the line that the container wrote is missing",
  });
}

/** The steps of a trial, and the pod to remove at its end. */
class Trial {
  readonly findings: Finding[] = [];
  pod: OwnedPodSandbox | undefined;

  constructor(
    readonly subject: Subject,
    readonly options: CallOptions,
  ) {}

  /** Runs a step. Returns `undefined` if it failed, with a finding. */
  async step<T>(what: string, remedy: string, run: (options: CallOptions) => Promise<T>): Promise<T | undefined> {
    try {
      const value = await run(this.options);
      this.findings.push(finding("pod", "ok", what));
      return value;
    } catch (error) {
      this.subject.settings.signal?.throwIfAborted();
      if (!CriError.is(error)) throw error;
      this.findings.push(
        finding("pod", "failure", `step failed: ${what}: ${error.code}: ${error.details}`, { remedy }),
      );
      return undefined;
    }
  }

  /** Removes the pod, also if the diagnosis was cancelled. */
  async removePod(): Promise<void> {
    const { pod } = this;
    if (pod === undefined) return;
    const isRemoved = await this.#remove(`the pod ${pod.id}`, `rm --force ${pod.id}`, () => pod.dispose());
    if (isRemoved) this.findings.push(finding("pod", "ok", "pods are removed"));
  }

  /** Removes an image that the trial pulled. */
  async removeImage(image: string): Promise<void> {
    const { cri, settings } = this.subject;
    const { timeoutMs } = settings;
    await this.#remove(`the image ${image}`, `rmi ${image}`, () => cri.images.remove(image, { timeoutMs }));
  }

  async #remove(what: string, command: string, remove: () => Promise<void>): Promise<boolean> {
    try {
      await remove();
      return true;
    } catch (error) {
      if (!CriError.is(error)) throw error;
      const found = `${what} could not be removed: ${error.code}: ${error.details}`;
      const commands = [`sudo npx k8s-cri-client ${command}`];
      this.findings.push(finding("pod", "failure", found, { remedy: "Remove it later.", commands }));
      return false;
    }
  }
}

/** Makes a folder for logs that the runtime can write to and this process can read. */
async function logFolder({ isLocal, settings }: Subject): Promise<string | undefined> {
  return isLocal && (settings.root ?? "/") === "/" ? mkdtemp(join(tmpdir(), "k8s-cri-client-doctor-")) : undefined;
}

const networkRemedy = (image: string) =>
  `Check name resolution and access to the registry of ${image} from the node, also proxies of the runtime; or name an image that is on the node (--image).`;
const sandboxRemedy =
  "The message names the part that fails: a CNI plugin, the image of pod sandboxes (sandbox_image), cgroups, or the OCI runtime.";
const startRemedy = "The message names the part that fails: the OCI runtime, a security module, or the file system.";
const streamingRemedy =
  "Let the streaming server of the runtime listen on an address that this program can reach: stream_server_address of containerd, stream_address of CRI-O.";
const logRemedy = "The log directory must be the same for the runtime and for this process: run it on the node.";
