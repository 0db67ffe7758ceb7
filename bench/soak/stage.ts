/**
 * The objects that live as long as the soak: a pod with a server and a writer of log lines, a view, and a stream of events.
 *
 * @module
 */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CriClient, type OwnedContainer, type OwnedPodSandbox } from "k8s-cri-client";
import { type CleanUpStep, cleanUp } from "../support/clean-up.js";
import { download, served } from "./download.js";
import type { SoakRuntime } from "./runtime.js";
import type { NodeCounts } from "./samples.js";

export const shell = (line: string) => ["/bin/sh", "-c", line];

export class Stage implements AsyncDisposable {
  /** The namespace of everything that the soak creates. */
  static readonly namespace = "soak";
  #count = 0;

  private constructor(
    readonly runtime: SoakRuntime,
    readonly cri: CriClient,
    readonly pod: OwnedPodSandbox,
    readonly web: OwnedContainer,
    /** Writes `line 0`, `line 1` and so on, fifty a second. */
    readonly writer: OwnedContainer,
    readonly port: number,
    private readonly cleanUps: CleanUpStep[],
  ) {}

  static async open(runtime: SoakRuntime): Promise<Stage> {
    const cleanUps: CleanUpStep[] = [];
    try {
      const cri = await CriClient.connect({ endpoint: runtime.endpoint });
      cleanUps.push(() => cri.close());
      const logDirectory = await mkdtemp(join(tmpdir(), "soak-"));
      cleanUps.push(() => rm(logDirectory, { recursive: true, force: true }));
      const { image, isFake } = runtime;
      const port = isFake ? await freePort() : 8_080;
      const pod = await cri.pods.run({ name: "server", namespace: Stage.namespace, logDirectory });
      cleanUps.push(() => pod.dispose());
      const quick = { image, terminationGracePeriodSeconds: 0 };
      const web = await pod.runContainer({ ...quick, name: "web", command: isFake ? nodeServer(port) : httpd(port) });
      const lines = 'i=0; while true; do echo "line $i"; i=$((i+1)); sleep 0.02; done';
      const writer = await pod.runContainer({ ...quick, name: "writer", command: shell(lines), logPath: "writer.log" });
      cleanUps.push(await watch(cri));
      await serving(pod, port);
      return new Stage(runtime, cri, pod, web, writer, port, cleanUps);
    } catch (error) {
      await cleanUp(cleanUps);
      throw error;
    }
  }

  /** Returns a unique name. */
  name(what: string): string {
    return `${what}-${++this.#count}`;
  }

  async counts(): Promise<NodeCounts> {
    const pods = await this.cri.pods.list({ namespace: Stage.namespace });
    const ids = new Set(pods.map(({ id }) => id));
    const containers = (await this.cri.containers.list()).filter(({ podSandboxId }) => ids.has(podSandboxId));
    return { pods: pods.length, containers: containers.length, processes: this.runtime.processes() };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return cleanUp(this.cleanUps);
  }
}

/** Opens a view and a stream of events, and reads the events. */
async function watch(cri: CriClient): Promise<CleanUpStep> {
  const view = cri.watch();
  const events = cri.events();
  const reading = (async () => {
    for await (const _ of events);
  })();
  await view.ready;
  return async () => {
    await Promise.all([view.close(), events.close()]);
    await reading;
  };
}

/** Resolves once the server in the pod answers. */
async function serving(pod: OwnedPodSandbox, port: number): Promise<void> {
  await using forward = pod.portForward(port);
  await using listener = await forward.listen();
  for (const giveUpAt = Date.now() + 30_000; ; await sleep(200)) {
    try {
      await download(listener.address.port);
      return;
    } catch (cause) {
      if (Date.now() > giveUpAt) throw new Error("the server in the pod does not answer", { cause });
    }
  }
}

function httpd(port: number): string[] {
  return shell(`mkdir -p /www && yes soak | head -c ${served.length} > /www/data && exec httpd -f -p ${port} -h /www`);
}

/** A server for fakes, whose containers run the programs of this machine. */
function nodeServer(port: number): string[] {
  const script = `require("node:http").createServer((_, reply) => reply.end(Buffer.alloc(${served.length}, "soak\\n"))).listen(${port}, "127.0.0.1")`;
  return [process.execPath, "-e", script];
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address ? address.port : 0;
}
