import { rm } from "node:fs/promises";
import { InvalidInputError } from "../errors.js";
import { checkLocal, type Placement, resolvePlacement, toEndpoint } from "./address.js";
import type { RuntimeEngine } from "./engine.js";
import type { RestartOptions } from "./fake-options.js";
import { Freeze } from "./freeze.js";
import { GrpcServer, type GrpcServerOptions, type ListenAddress } from "./wire/grpc-server.js";

export interface ProcessOptions extends GrpcServerOptions {
  endpoint: string | undefined;
  /** Whether to reject an endpoint that other machines can reach. */
  localOnly: boolean;
}

/** Imitates the process of a runtime, which listens, is killed, restarts and stops. These changes never run at the same time. */
export class RuntimeProcess {
  /** The endpoint for clients. */
  readonly endpoint: string;
  readonly #engine: RuntimeEngine;
  readonly #server: GrpcServer;
  readonly #freeze: Freeze;
  readonly #placement: Placement;
  readonly #address: ListenAddress;
  #turn: Promise<void> = Promise.resolve();
  #stopped: Promise<void> | undefined;

  private constructor(
    engine: RuntimeEngine,
    server: GrpcServer,
    freeze: Freeze,
    placement: Placement,
    address: ListenAddress,
    secure: boolean,
  ) {
    this.endpoint = toEndpoint(address, secure);
    this.#engine = engine;
    this.#server = server;
    this.#freeze = freeze;
    this.#placement = placement;
    this.#address = address;
  }

  /** Starts the process. Resolves once it listens. */
  static async start(
    engine: RuntimeEngine,
    { endpoint, localOnly, onCall, ...options }: ProcessOptions,
  ): Promise<RuntimeProcess> {
    const freeze = new Freeze();
    const server = new GrpcServer({ ...options, onCall: (call) => freeze.whenThawed(() => onCall(call)) });
    const placement = await resolvePlacement(endpoint);
    try {
      if (options.tls && "path" in placement.address) {
        throw new InvalidInputError({ field: "tls", message: "requires a TCP endpoint, such as https://127.0.0.1:0" });
      }
      if (localOnly) await checkLocal(placement.address);
      const address = await server.listen(placement.address);
      return new RuntimeProcess(engine, server, freeze, placement, address, options.tls !== undefined);
    } catch (error) {
      if (placement.ownFolder) await rm(placement.ownFolder, { recursive: true, force: true });
      throw error;
    }
  }

  get connectionCount(): number {
    return this.#server.connectionCount;
  }

  /** Whether {@link stop} was called. */
  get isStopped(): boolean {
    return this.#stopped !== undefined;
  }

  /** Breaks all connections of clients. */
  disconnectClients(): void {
    this.#server.disconnectAll();
  }

  /** Makes new calls wait. */
  freeze(): void {
    this.#freeze.begin();
  }

  /** Handles the calls that wait. */
  thaw(): void {
    this.#freeze.end();
  }

  kill(): Promise<void> {
    return this.#enqueue(() => this.#kill());
  }

  async restart({ keepState = true, containers = "running" }: RestartOptions): Promise<void> {
    this.checkRunning("restart");
    await this.#enqueue(async () => {
      await this.#kill();
      this.#engine.restart(keepState, containers);
      await this.#server.listen(this.#address);
    });
  }

  /** Stops the process and removes its sockets and files. */
  stop(): Promise<void> {
    this.#stopped ??= this.#enqueue(() => this.#stop());
    return this.#stopped;
  }

  /** Checks that the runtime was not stopped. @throws InvalidInputError if it was */
  checkRunning(field: string): void {
    if (this.isStopped) throw new InvalidInputError({ field, message: "the runtime was stopped" });
  }

  async #kill(): Promise<void> {
    await this.#server.kill();
    this.thaw();
    await this.#engine.disconnect();
  }

  async #stop(): Promise<void> {
    await this.#server.close();
    this.thaw();
    await this.#engine.stop();
    const { ownFolder } = this.#placement;
    if (ownFolder) await rm(ownFolder, { recursive: true, force: true });
    else if ("path" in this.#address) await rm(this.#address.path, { force: true });
  }

  #enqueue(change: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(change);
    this.#turn = turn.catch(() => {});
    return turn;
  }
}
