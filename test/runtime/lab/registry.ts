/**
 * Runs an image registry on the loopback interface, public or with a password.
 *
 * @module
 */
import type { ChildProcess } from "node:child_process";
import { mkdir, open, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import bcrypt from "bcryptjs";
import { tailOf } from "./logs.js";
import { spawnBound } from "./namespaces.js";

export interface Credentials {
  username: string;
  password: string;
}

export interface RegistryOptions {
  folder: string;
  /** Path of docker-registry. */
  program: string;
  environment: NodeJS.ProcessEnv;
  credentials?: Credentials;
}

export class Registry {
  private constructor(
    /** Host and port, as in image references. */
    readonly address: string,
    readonly credentials: Credentials | undefined,
    private readonly child: ChildProcess,
  ) {}

  static async start(options: RegistryOptions): Promise<Registry> {
    await mkdir(options.folder, { recursive: true });
    // Another process may take the free port before the registry listens on it.
    for (let attempt = 1; ; attempt++) {
      try {
        return await Registry.startOn(await freePort(), options);
      } catch (error) {
        if (attempt === 3) throw error;
      }
    }
  }

  private static async startOn(port: number, options: RegistryOptions): Promise<Registry> {
    const { folder, credentials } = options;
    const address = `127.0.0.1:${port}`;
    const configuration = join(folder, "config.yml");
    await writeFile(configuration, await configurationFor(address, folder, credentials));
    const logFile = join(folder, "registry.log");
    const log = await open(logFile, "a");
    const child = spawnBound([options.program, "serve", configuration], {
      env: options.environment,
      stdio: ["ignore", log.fd, log.fd],
    });
    await log.close();
    child.unref();
    const registry = new Registry(address, credentials, child);
    try {
      await registry.waitUntilReady();
    } catch (error) {
      registry.stop();
      throw new Error(`the registry did not start: ${await tailOf(logFile)}`, { cause: error });
    }
    return registry;
  }

  /** Sends a request to the registry's HTTP API, with the credentials if there are any. */
  async request(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.credentials) {
      const { username, password } = this.credentials;
      headers.set("authorization", `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`);
    }
    return await fetch(new URL(path, `http://${this.address}`), { ...init, headers });
  }

  stop(): void {
    this.child.kill("SIGKILL");
  }

  private async waitUntilReady(): Promise<void> {
    const deadline = Date.now() + 15_000;
    for (;;) {
      if (this.child.exitCode !== null) throw new Error(`exit code ${this.child.exitCode}`);
      try {
        const reply = await this.request("/v2/");
        await reply.arrayBuffer();
        if (reply.ok) return;
      } catch (error) {
        if (Date.now() > deadline) throw error;
      }
      await sleep(20);
    }
  }
}

async function configurationFor(address: string, folder: string, credentials?: Credentials): Promise<string> {
  const configuration: Record<string, unknown> = {
    version: 0.1,
    storage: { filesystem: { rootdirectory: join(folder, "storage") }, delete: { enabled: true } },
    http: { addr: address },
  };
  if (credentials) {
    const passwords = join(folder, "htpasswd");
    // The lowest cost is enough for a test password.
    await writeFile(passwords, `${credentials.username}:${await bcrypt.hash(credentials.password, 4)}\n`);
    configuration.auth = { htpasswd: { realm: "lab", path: passwords } };
  }
  // JSON is valid YAML.
  return JSON.stringify(configuration, null, 2);
}

/** Returns a port that is currently free on the loopback interface. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => {
        if (address === null || typeof address === "string") reject(new Error("the system returned no port"));
        else resolve(address.port);
      });
    });
  });
}

/**
 * Configures containerd to use HTTP without TLS for a registry.
 *
 * @param host the registry in image references. @defaultValue its address
 */
export async function configureRegistry(folder: string, address: string, host = address): Promise<void> {
  await mkdir(join(folder, host), { recursive: true });
  const url = JSON.stringify(`http://${address}`);
  const hosts = [`server = ${url}`, `[host.${url}]`, '  capabilities = ["pull", "resolve"]', ""].join("\n");
  await writeFile(join(folder, host, "hosts.toml"), hosts);
}
