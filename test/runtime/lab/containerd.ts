/**
 * One containerd, which can be stopped, killed and started again while its containers keep running.
 *
 * @module
 */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, open, rm, symlink, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type ContainerdSettings, containerdConfig, type TcpSettings } from "./containerd-config.js";
import { tailOf } from "./logs.js";
import { Namespaces } from "./namespaces.js";
import { networkConfiguration } from "./network.js";
import { signal } from "./processes.js";
import { fetchVersion } from "./readiness.js";

export interface ContainerdOptions {
  name: string;
  /** Must be short, because the path of a socket in it can have at most 107 bytes. */
  folder: string;
  format: ContainerdSettings["format"];
  /** Paths of containerd, its shim and the handlers' programs, by the names that containerd uses. */
  programs: Readonly<Record<string, string>>;
  handlers: ContainerdSettings["handlers"];
  cniProgramFolder: string;
  sandboxImage: string;
  registriesFolder: string;
  bridge: string;
  subnet: string;
  cgroup: string;
  busybox: string;
  tini: string;
  environment: NodeJS.ProcessEnv;
  tcp?: TcpSettings;
}

export class Containerd {
  readonly socket: string;
  readonly logFile: string;
  /** The version that containerd reports, for example `1.7.24`. Empty before the first start. */
  version = "";

  private namespaces: Namespaces | undefined;
  private nsenter: ChildProcess | undefined;

  constructor(private readonly options: ContainerdOptions) {
    this.socket = join(options.folder, "s.sock");
    this.logFile = join(options.folder, "containerd.log");
    if (Buffer.byteLength(`${this.socket}.ttrpc`) > 107)
      throw new Error(`the path ${this.socket} is too long for a socket`);
  }

  /** Whether containerd itself is running. Containers may run without it. */
  get running(): boolean {
    return this.nsenter !== undefined;
  }

  /** Starts containerd, and resolves when it serves calls. Does nothing if it is running. */
  async start(): Promise<void> {
    if (this.running) return;
    this.namespaces ??= await this.prepare();
    await rm(this.socket, { force: true });
    const log = await open(this.logFile, "a");
    const bin = join(this.options.folder, "bin");
    const nsenter = this.namespaces.spawn([join(bin, "containerd"), "--config", this.configFile], {
      env: { ...this.options.environment, PATH: [bin, this.options.environment.PATH].join(delimiter) },
      stdio: ["ignore", log.fd, log.fd],
    });
    await log.close();
    nsenter.unref();
    nsenter.once("error", () => {});
    nsenter.once("exit", () => {
      if (this.nsenter === nsenter) this.nsenter = undefined;
    });
    this.nsenter = nsenter;
    // Debian appends its own revision.
    this.version = (await this.waitUntilReady(nsenter)).replace(/[~+].*/, "");
  }

  /** Stops containerd with SIGTERM, and after 10 s with SIGKILL. Pods and containers keep running. */
  async stop(): Promise<void> {
    await this.kill("SIGTERM");
  }

  /** Sends containerd a signal, and resolves when it has ended. Sends SIGKILL after 10 s. Pods and containers keep running. */
  async kill(name: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const nsenter = this.nsenter;
    if (nsenter === undefined) return;
    const ended = once(nsenter, "exit");
    const containerd = Namespaces.programOf(nsenter);
    if (containerd !== undefined) signal(containerd, name);
    const timer = setTimeout(() => containerd !== undefined && signal(containerd, "SIGKILL"), 10_000);
    // An unreferenced child process does not keep this process running until it has ended.
    nsenter.ref();
    await ended;
    clearTimeout(timer);
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  private get configFile(): string {
    return join(this.options.folder, "config.toml");
  }

  private async prepare(): Promise<Namespaces> {
    const { options } = this;
    const bin = join(options.folder, "bin");
    const cni = join(options.folder, "cni");
    await mkdir(bin, { recursive: true });
    await mkdir(cni, { recursive: true });
    for (const [name, program] of Object.entries(options.programs)) await symlink(program, join(bin, name));
    const namespaces = await Namespaces.create(options);
    const own = namespaces.privateFolder;
    await writeFile(
      join(cni, "10-lab.conflist"),
      networkConfiguration(options.bridge, options.subnet, join(own, "addresses")),
    );
    await writeFile(
      this.configFile,
      containerdConfig({
        format: options.format,
        socket: this.socket,
        root: join(own, "root"),
        state: join(own, "state"),
        sandboxImage: options.sandboxImage,
        registriesFolder: options.registriesFolder,
        cniConfigFolder: cni,
        cniProgramFolder: options.cniProgramFolder,
        handlers: options.handlers,
        ...(options.tcp && { tcp: options.tcp }),
      }),
    );
    return namespaces;
  }

  private async waitUntilReady(nsenter: ChildProcess): Promise<string> {
    const deadline = Date.now() + 30_000;
    for (;;) {
      try {
        return (await fetchVersion(`unix://${this.socket}`)).runtimeVersion;
      } catch (error) {
        const ended = this.nsenter !== nsenter;
        if (ended || Date.now() > deadline) {
          const reason = ended ? "exited during its start" : "is not ready after 30 s";
          throw new Error(`${this.options.name} ${reason}. Its log ends with:\n${await tailOf(this.logFile)}`, {
            cause: error,
          });
        }
      }
      await sleep(25);
    }
  }
}
