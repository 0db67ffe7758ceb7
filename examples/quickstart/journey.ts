import { type CriClient, CriError, type OwnedContainer, type OwnedPodSandbox } from "k8s-cri-client";
import { Listr, type ListrTask, PRESET_TIMER } from "listr2";
import { defaultImage, imageRemover } from "./image.js";
import { type ChosenRuntime, nameOf } from "./runtime.js";

/** The command of the container: waits for a file, then exits with code 7. */
const waitFor = (file: string) => `until [ -e ${file} ]; do sleep 0.2; done; exit 7`;

/** Creates a pod and a container, runs a command, waits for the exit, and cleans up. */
export class Journey {
  readonly #runtime: ChosenRuntime;
  readonly #signal: AbortSignal;
  #image: string | undefined;
  #cri: CriClient | undefined;
  #pod: OwnedPodSandbox | undefined;
  #container: OwnedContainer | undefined;
  /** The clean-up steps, last one first. */
  readonly #cleanUpSteps: ListrTask[] = [];
  #kept = false;

  constructor(runtime: ChosenRuntime, options: { image: string | undefined; signal: AbortSignal }) {
    this.#runtime = runtime;
    this.#image = options.image;
    this.#signal = options.signal;
  }

  async run(): Promise<void> {
    const signal = this.#signal;
    await show([
      {
        title: this.#runtime.starting ?? "Connect",
        task: async (_, task) => {
          this.#cri = await this.#runtime.connect();
          const version = await this.#cri.version({ signal });
          task.title = `Connected to ${nameOf(version)}, CRI ${version.runtimeApiVersion}`;
        },
      },
      {
        title: "Image",
        task: async (_, task) => {
          const image = this.#image ?? this.#runtime.image?.() ?? (await defaultImage(this.#client, signal));
          this.#image = image;
          const remove = await imageRemover(this.#client, image, signal);
          if (remove) {
            task.title = `Pull image ${image}`;
            this.#cleanUpSteps.unshift({
              title: `Remove image ${image}`,
              task: async (_, removal) => {
                if (!(await remove())) removal.skip(`Image ${image} needs no removal`);
              },
            });
            await this.#client.images.pull(image, { signal });
          }
          task.title = `Image ${image} ${remove ? "was pulled" : "is on the node"}`;
        },
      },
      {
        title: "Run a pod",
        task: async (_, task) => {
          const { status } = await this.#client.status({ signal });
          const network = status?.conditions.find(({ type }) => type === "NetworkReady");
          // A runtime without a pod network can still run pods in the node's network.
          const hostNetwork = network?.status === false;
          const pod = await this.#client.pods.run({ name: "quickstart", hostNetwork }, { signal });
          this.#pod = pod;
          this.#cleanUpSteps.unshift({ title: "Stop and remove the pod", task: () => pod.dispose() });
          const { network: address } = await pod.status({ signal });
          const where = hostNetwork ? "in the node's network" : `at ${address?.ip || "no address"}`;
          task.title = `Pod ${short(pod.id)} is ready ${where}`;
        },
      },
      {
        title: "Run a container",
        task: async (_, task) => {
          const spec = { name: "main", image: this.#image ?? "", command: ["sh", "-c", waitFor(this.#exitFile)] };
          const container = await this.#client.runContainerInSandbox(this.#owned(this.#pod), spec, { signal });
          this.#container = container;
          this.#cleanUpSteps.unshift({
            title: "Stop and remove the container",
            task: () => container.dispose(),
          });
          task.title = `Container ${short(container.id)} is running`;
        },
      },
      {
        title: "Run a command in the container",
        task: async (_, task) => {
          const command = ["sh", "-c", 'echo "Hello from $(hostname), $(uname -sr)"'];
          const { stdout } = await this.#owned(this.#container).execSync(command, { signal, throwOnNonZero: true });
          task.title = `The command printed: ${stdout.trim()}`;
        },
      },
      {
        title: "Wait for the container to exit",
        task: async (_, task) => {
          const container = this.#owned(this.#container);
          await container.execSync(["touch", this.#exitFile], { signal, throwOnNonZero: true });
          const { exitCode } = await container.wait({ signal, timeoutMs: 30_000 });
          if (exitCode !== 7) throw new Error(`the container exited with code ${exitCode} instead of 7`);
          task.title = `The container exited with code ${exitCode}, as expected`;
        },
      },
    ]);
  }

  /** Keeps the pod, container and image, and prints how to remove them. */
  keep(): void {
    const { endpoint } = this.#client;
    const pod = this.#owned(this.#pod);
    if (this.#runtime.isOurs) {
      console.log(`Kept until Ctrl-C. To use the runtime: export CONTAINER_RUNTIME_ENDPOINT=${endpoint}`);
      return;
    }
    this.#kept = true;
    this.#container?.release();
    pod.release();
    const crictl = `crictl --runtime-endpoint ${endpoint}`;
    console.log(`Kept: pod ${pod.id}. To remove it:\n  ${crictl} rmp --force ${pod.id}`);
    const pulled = this.#cleanUpSteps.some(({ title }) => String(title).startsWith("Remove image"));
    if (pulled) console.log(`  ${crictl} rmi ${this.#image}`);
  }

  /** Cleans up after all completed steps. Resolves with an error message if something could not be removed. */
  async cleanUp(): Promise<string | undefined> {
    const interrupted = this.#signal.aborted;
    const steps = this.#kept ? [] : [...this.#cleanUpSteps];
    // After an interruption our own runtime is stopping, and removes everything in it.
    if (this.#runtime.isOurs && interrupted) steps.length = 0;
    else if (!this.#kept && this.#pod)
      steps.push({ title: "Check that the pod was removed", task: () => this.#checkRemoved() });
    if (this.#cri) steps.push({ title: "Disconnect", task: () => this.#client.close() });
    if (this.#runtime.isOurs) steps.push({ title: "Stop the runtime", task: () => this.#runtime.stop() });
    const errors = await show(steps, { exitOnError: false });
    if (errors.length === 0) return undefined;
    const pod = this.#pod ? ` Pod: ${this.#pod.id}.` : "";
    return `Not everything could be removed.${pod}\n${errors.map(({ message }) => `  ${message}`).join("\n")}`;
  }

  async #checkRemoved(): Promise<void> {
    const { id } = this.#owned(this.#pod);
    const left = await this.#client.pods.list({ id });
    if (left.length > 0) throw new CriError({ code: "INTERNAL", message: `pod ${id} was not removed` });
  }

  get #exitFile(): string {
    return `${this.#runtime.scratch?.() ?? "/dev/shm"}/exit`;
  }

  get #client(): CriClient {
    return this.#owned(this.#cri);
  }

  #owned<T>(value: T | undefined): T {
    if (value === undefined) throw new Error("an earlier step is missing");
    return value;
  }
}

/** Runs tasks one after the other and displays their progress, as plain lines without a terminal. Resolves with the errors. */
async function show(tasks: ListrTask[], { exitOnError = true } = {}): Promise<Error[]> {
  const list = new Listr(tasks, {
    concurrent: false,
    exitOnError,
    collectErrors: "minimal",
    // Interruption handles signals.
    registerSignalListeners: false,
    rendererOptions: { timer: PRESET_TIMER, collapseErrors: false, showErrorMessage: false },
    fallbackRenderer: "simple",
    // Some pseudo-terminals have a width of 0.
    fallbackRendererCondition: () => !process.stdout.isTTY || !process.stdout.columns,
    fallbackRendererOptions: { timer: PRESET_TIMER },
  });
  await list.run();
  return list.errors.map(({ error }) => error);
}

function short(id: string): string {
  return id.slice(0, 12);
}
