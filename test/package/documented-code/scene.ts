import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CriClient, type OwnedContainer, type OwnedPodSandbox } from "k8s-cri-client";
import { FakeRuntime, HostProcessBackend } from "k8s-cri-client/testing";

const temporary = process.env.TMPDIR;

/** What documented code finds when it runs: a runtime of its own, a working directory of its own, and a pod if it needs one. */
export class Scene implements AsyncDisposable {
  private constructor(
    /** The working directory. */
    readonly folder: string,
    readonly cri: CriClient,
    /** An image with a shell. */
    readonly image: string,
    /** The runtime, if it is a fake. */
    readonly runtime: FakeRuntime | undefined,
    private readonly server: Server | undefined,
  ) {}

  /** Uses a real runtime if `endpoint` is set, otherwise a fake whose containers are processes of this machine. */
  static async create(endpoint?: string, image = "docker.io/library/busybox:1.37"): Promise<Scene> {
    const folder = await mkdtemp(join(tmpdir(), "cri-scene-"));
    const server = endpoint === undefined ? await startWebServer() : undefined;
    const runtime = server && (await startFake((server.address() as AddressInfo).port));
    process.chdir(folder);
    process.env.CONTAINER_RUNTIME_ENDPOINT = endpoint ?? runtime?.endpoint;
    process.env.CRI_IMAGE = image;
    // Tests never read the credentials of the user who runs them.
    process.env.DOCKER_CONFIG = process.env.XDG_RUNTIME_DIR = process.env.HOME = folder;
    const scene = new Scene(folder, await CriClient.connect(), image, runtime, server);
    process.env.TMPDIR = folder; // what programs leave in the temporary directory is removed with the folder
    return scene;
  }

  /** Runs a pod. Without a spec, it has the label `app: web`, and its log directory is in {@link folder}. */
  async pod(cri = this.cri): Promise<OwnedPodSandbox> {
    const logDirectory = { root: this.folder };
    return cri.pods.run({ name: "web", uid: "b7d2", labels: { app: "web" }, logDirectory });
  }

  /** Runs a container in a pod. By default, it prints a line ten times a second until it is stopped: shell words, in which `n` is 0. */
  async container(pod: OwnedPodSandbox, line = "ready"): Promise<OwnedContainer> {
    const command = ["sh", "-c", `trap exit TERM; n=0; while true; do echo ${line}; n=$((n+1)); sleep 0.1; done`];
    return pod.runContainer({ name: "server", image: this.image, labels: { app: "web" }, command });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cri.close();
    await this.runtime?.stop();
    this.server?.closeAllConnections();
    this.server?.close();
    if (temporary === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = temporary;
    process.chdir(tmpdir());
    await rm(this.folder, { recursive: true });
  }
}

/** Starts the server that every port of every pod of the fake leads to. */
async function startWebServer(): Promise<Server> {
  const server = createServer((_, response) => response.setHeader("server", "nginx").end("hello\n"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

function startFake(port: number): Promise<FakeRuntime> {
  class Backend extends HostProcessBackend {
    override portForward(...[pod]: Parameters<HostProcessBackend["portForward"]>) {
      return super.portForward(pod, port);
    }
  }
  return FakeRuntime.start({
    backend: new Backend(),
    registryImages: [{ reference: "docker.io/library/nginx:1.29", command: ["sleep", "3600"] }],
    registry: { "gone.example/*": "missing" },
  });
}
