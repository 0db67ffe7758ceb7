/**
 * Runs a Kubernetes API server with its etcd on the loopback interface.
 *
 * @module
 */
import type { ChildProcess } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { tailOf } from "../../../test/runtime/lab/logs.js";
import { spawnBound } from "../../../test/runtime/lab/namespaces.js";
import { freePort } from "../../../test/runtime/lab/registry.js";
import { crdServerProgram } from "./crd-server.js";
import { etcdProgram } from "./etcd.js";
import { fullServerPrograms } from "./full-server.js";

/** `full` is all of Kubernetes 1.20. `crds` is the part of a current release that serves custom resources, and nothing else. */
export type ApiServerKind = "full" | "crds";

/** One API server with its etcd, and with the controller manager if it is a whole one. They end with this process. */
export class ApiServer implements AsyncDisposable {
  readonly #folder: string;
  readonly #token: string;
  readonly #ports: { api: number; etcd: number; peer: number };
  readonly #processes = new Map<string, ChildProcess>();

  private constructor(
    readonly kind: ApiServerKind,
    folder: string,
    ports: { api: number; etcd: number; peer: number },
    token: string,
  ) {
    this.#folder = folder;
    this.#ports = ports;
    this.#token = token;
  }

  /** Builds the programs if needed, starts an empty cluster, and resolves when the API server is ready. */
  static async start(kind: ApiServerKind): Promise<ApiServer> {
    const folder = await mkdtemp(join(tmpdir(), "node-agent-cluster-"));
    const ports = { api: await freePort(), etcd: await freePort(), peer: await freePort() };
    const server = new ApiServer(kind, folder, ports, randomBytes(16).toString("hex"));
    try {
      await server.#writeFiles();
      await server.#startEtcd();
      await server.resume();
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  get url(): string {
    return `https://127.0.0.1:${this.#ports.api}`;
  }

  /** A kubeconfig of an administrator, or of the owner of a token. */
  async kubeconfig(token: string = this.#token): Promise<string> {
    const authority = await readFile(join(this.#folder, "tls/apiserver.crt"));
    // JSON is valid YAML.
    return JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [
        { name: "lab", cluster: { server: this.url, "certificate-authority-data": authority.toString("base64") } },
      ],
      users: [{ name: "lab", user: { token } }],
      contexts: [{ name: "lab", context: { cluster: "lab", user: "lab" } }],
      "current-context": "lab",
    });
  }

  /** Kills the API server. etcd keeps its objects. */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    await this.#end("api-server", signal);
  }

  /** Starts the API server, after {@link kill} too, and resolves when it is ready. */
  async resume(): Promise<void> {
    if (this.kind === "full") {
      const { apiServer, controllerManager } = await fullServerPrograms();
      await this.#spawn("api-server", [apiServer, ...this.#sharedFlags(), ...this.#fullFlags()]);
      await this.#ready();
      if (!this.#processes.has("controller-manager")) {
        await this.#spawn("controller-manager", [controllerManager, ...(await this.#controllerFlags())]);
      }
    } else {
      await this.#spawn("api-server", [await crdServerProgram(), ...this.#sharedFlags()]);
      await this.#ready();
    }
  }

  /** Ends all processes, and removes their files. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of ["controller-manager", "api-server", "etcd"]) await this.#end(name, "SIGKILL");
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #writeFiles(): Promise<void> {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    await mkdir(join(this.#folder, "tls"));
    await writeFile(join(this.#folder, "accounts.key"), privateKey.export({ type: "pkcs1", format: "pem" }), {
      mode: 0o600,
    });
    await writeFile(join(this.#folder, "tokens.csv"), `${this.#token},admin,admin,"system:masters"\n`, { mode: 0o600 });
  }

  async #startEtcd(): Promise<void> {
    const [client, peer] = [this.#ports.etcd, this.#ports.peer].map((port) => `http://127.0.0.1:${port}`);
    await this.#spawn("etcd", [
      await etcdProgram(),
      `--data-dir=${join(this.#folder, "etcd")}`,
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=default=${peer}`,
      // Tests need no durability.
      "--unsafe-no-fsync",
    ]);
  }

  #sharedFlags(): string[] {
    return [
      `--etcd-servers=http://127.0.0.1:${this.#ports.etcd}`,
      "--bind-address=127.0.0.1",
      `--secure-port=${this.#ports.api}`,
      `--cert-dir=${join(this.#folder, "tls")}`,
      `--token-auth-file=${join(this.#folder, "tokens.csv")}`,
    ];
  }

  #fullFlags(): string[] {
    const key = join(this.#folder, "accounts.key");
    return [
      "--advertise-address=127.0.0.1",
      "--authorization-mode=RBAC",
      "--allow-privileged",
      "--service-cluster-ip-range=10.0.0.0/24",
      "--service-account-issuer=https://kubernetes.default.svc",
      `--service-account-signing-key-file=${key}`,
      `--service-account-key-file=${key}`,
    ];
  }

  async #controllerFlags(): Promise<string[]> {
    const kubeconfig = join(this.#folder, "controllers.json");
    await writeFile(kubeconfig, await this.kubeconfig(), { mode: 0o600 });
    return [
      `--kubeconfig=${kubeconfig}`,
      "--controllers=garbagecollector,namespace,serviceaccount",
      "--leader-elect=false",
      "--port=0",
      "--secure-port=0",
    ];
  }

  async #spawn(name: string, command: readonly string[]): Promise<void> {
    const log = await open(join(this.#folder, `${name}.log`), "a");
    const child = spawnBound(command, { env: { PATH: process.env.PATH ?? "" }, stdio: ["ignore", log.fd, log.fd] });
    await log.close();
    child.unref();
    child.once("error", () => {});
    child.once("exit", () => this.#processes.delete(name));
    this.#processes.set(name, child);
  }

  async #end(name: string, signal: NodeJS.Signals): Promise<void> {
    const child = this.#processes.get(name);
    if (child === undefined) return;
    const ended = once(child, "exit");
    child.ref();
    child.kill(signal);
    await ended;
  }

  async #ready(): Promise<void> {
    const deadline = Date.now() + 180_000;
    while (!(await this.#answersReady())) {
      const ended = ["etcd", "api-server"].find((name) => !this.#processes.has(name));
      if (ended !== undefined || Date.now() > deadline) {
        const name = ended ?? "api-server";
        const log = await tailOf(join(this.#folder, `${name}.log`));
        throw new Error(`${name} ${ended ? "ended" : "is not ready after 180 s"}. Its log ends with:\n${log}`);
      }
      await sleep(50);
    }
  }

  /** Its certificate is new, so that no request can verify it before the server has started. */
  async #answersReady(): Promise<boolean> {
    const agent = new Agent({ rejectUnauthorized: false });
    const sent = request(`${this.url}/readyz`, {
      agent,
      timeout: 2_000,
      headers: { authorization: `Bearer ${this.#token}` },
    });
    sent.on("timeout", () => sent.destroy());
    try {
      sent.end();
      const [reply] = await once(sent, "response");
      await text(reply);
      return reply.statusCode === 200;
    } catch {
      return false;
    } finally {
      agent.destroy();
    }
  }
}
