/**
 * A cluster on one machine: an API server, the controller, and a node with an agent for each container runtime.
 *
 * @module
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KubeConfig } from "@kubernetes/client-node";
import { CriClient } from "k8s-cri-client";
import { type TemporaryNode, temporaryNode } from "../../../test/support/temporary-node.js";
import { AgentProcess } from "./agent-process.js";
import { ApiServer, type ApiServerKind } from "./api-server.js";
import { asAccount, install } from "./install.js";

/** The runtime of a node. */
export interface NodeRuntime {
  name: string;
  endpoint: string;
}

export class Cluster implements AsyncDisposable {
  readonly nodes: ClusterNode[] = [];
  controller!: AgentProcess;
  admin!: KubeConfig;
  folder!: string;
  /** The name of the controller's pod. A controller that is started again has the same pod, unless this was changed. */
  controllerPod = "controller-1";
  protected readonly stopping = new AbortController();

  protected constructor(readonly server: ApiServer) {}

  /** Starts an API server, installs the custom resources and the rights, and starts the controller and the agents. */
  static async start(kind: ApiServerKind, runtimes: readonly NodeRuntime[]): Promise<Cluster> {
    return await new Cluster(await ApiServer.start(kind)).open(runtimes);
  }

  protected async open(runtimes: readonly NodeRuntime[]): Promise<this> {
    try {
      this.folder = await mkdtemp(join(tmpdir(), "node-agent-"));
      this.admin = await install(this.server);
      const kubeconfig = await asAccount(this.server, this.admin, "node-task-agent");
      for (const runtime of runtimes) {
        this.nodes.push(new ClusterNode(runtime, kubeconfig, join(this.folder, runtime.name)));
      }
      await Promise.all([this.startController(), ...this.nodes.map((node) => node.start())]);
      return this;
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Starts the controller, and starts it again whenever it ends, as a Deployment does. */
  async startController(): Promise<void> {
    const kubeconfig = await asAccount(this.server, this.admin, "node-task-controller");
    const folder = join(this.folder, "controller");
    const start = async (): Promise<void> => {
      const controller = await AgentProcess.start({
        command: "controller",
        kubeconfig,
        folder,
        env: { POD_NAME: this.controllerPod },
      });
      this.controller = controller;
      if (this.stopping.signal.aborted) return await controller[Symbol.asyncDispose]();
      void controller.ended().then(() => (this.stopping.signal.aborted ? undefined : start()));
    };
    await start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stopping.abort();
    for (const node of this.nodes) await node[Symbol.asyncDispose]();
    await this.controller?.[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
    if (this.folder) await rm(this.folder, { recursive: true, force: true });
  }
}

/** A node of a cluster: a runtime and its agent. */
export class ClusterNode implements AsyncDisposable {
  readonly cri: CriClient;
  agent: AgentProcess | undefined;
  /** The settings of the node, whose directories are temporary. */
  readonly #node: Promise<TemporaryNode> = temporaryNode({ maxRestartDelayMs: 1_000 });

  constructor(
    readonly runtime: NodeRuntime,
    readonly kubeconfig: string,
    readonly folder: string,
  ) {
    this.cri = CriClient.lazy({ endpoint: runtime.endpoint });
  }

  get name(): string {
    return this.runtime.name;
  }

  /** Starts the agent, which continues with what an earlier one left. */
  async start(env: Record<string, string> = {}): Promise<AgentProcess> {
    const { node } = await this.#node;
    this.agent = await AgentProcess.start({
      ...{ command: "agent", kubeconfig: this.kubeconfig, folder: this.folder },
      env: {
        NODE_NAME: this.name,
        NODE_LABELS: JSON.stringify({ "kubernetes.io/hostname": this.name }),
        CONTAINER_RUNTIME_ENDPOINT: this.runtime.endpoint,
        ROOT_DIRECTORY: node.rootDirectory,
        NODE_OVERRIDES: JSON.stringify(node),
        ...env,
      },
    });
    return this.agent;
  }

  async readyPods(): Promise<{ namespace: string; name: string; id: string }[]> {
    const pods = await this.cri.pods.list({ state: "ready" }).catch(() => []);
    return pods.map(({ id, metadata }) => ({ id, namespace: metadata?.namespace ?? "", name: metadata?.name ?? "" }));
  }

  /** The ids of the pods of a task, ended ones included. */
  async pods(task: string): Promise<string[]> {
    const pods = await this.cri.pods.list({ namespace: "default" });
    return pods.filter(({ metadata }) => metadata?.name === task).map(({ id }) => id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.agent?.[Symbol.asyncDispose]();
    await this.cri.close();
    await (await this.#node)[Symbol.asyncDispose]();
  }
}
