import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConnectOptions, CriClient, CriError } from "../../src/index.js";
import { type FakeFlavor, FakeRuntime, type RecordedCall } from "../../src/testing/index.js";
import { echo, program, script } from "./container-programs.js";
import { Expectations } from "./expectations.js";
import { describeFault, type Fault, inject } from "./faults.js";
import { checkSettled } from "./invariants.js";
import { type HowToCall, Operation, operationHeader } from "./operation.js";
import { History, type Statistics } from "./report.js";
import { ServerTruth } from "./server-truth.js";

/** What the clients of the test have in common: impatient, so that much fits into a second. */
export const connectOptions = {
  defaults: { retry: { initialBackoffMs: 10, maxBackoffMs: 40 } },
  channelOptions: { "grpc.initial_reconnect_backoff_ms": 20, "grpc.max_reconnect_backoff_ms": 60 },
  watch: { pollMs: 40, relistMs: 80 },
} satisfies Omit<ConnectOptions, "endpoint">;

/** Something that was opened and is to be closed in the end. */
export interface Opened {
  readonly name: string;
  close(): Promise<unknown>;
}

/** The calls that make something, as opposed to those that look and clean up. */
const creations: ReadonlySet<string> = new Set(["RunPodSandbox", "CreateContainer"]);

/** The system under test in one sequence: a runtime, the client of it, and all that is under way between them. */
export class World {
  readonly history = new History();
  readonly truth: ServerTruth;
  readonly operations: Operation[] = [];
  readonly opened: Opened[] = [];
  /** The signal of a caller that lives on; nothing ever aborts it. */
  readonly longLived = new AbortController();
  readonly violations: string[] = [];
  client: CriClient;
  isUp = true;
  /** A call hangs, or has, and only the end of its connection (or of the runtime) ends that. */
  hasHung: "no" | "for its client" | "for good" = "no";

  private constructor(
    readonly runtime: FakeRuntime,
    readonly folder: string,
    readonly expectations: Expectations,
    readonly statistics: Statistics,
  ) {
    this.truth = new ServerTruth(runtime, (message) => this.violate(message));
    this.client = this.newClient();
    this.#watch();
  }

  static async start(flavor: FakeFlavor, statistics: Statistics): Promise<World> {
    let world: World | undefined;
    const folder = mkdtempSync(join(tmpdir(), "cri-model-"));
    for (const slot of [0, 1, 2]) mkdirSync(join(folder, `pod-${slot}`));
    const runtime = await FakeRuntime.start({
      flavor,
      images: ["busybox:1"],
      run: (container) => script(container, (id) => world?.started(id)),
      exec: (_container, command) => program(command, (number) => world?.executed(number)),
      portForward: (_pod, port) => (port === 80 ? echo() : undefined),
    });
    world = new World(runtime, folder, new Expectations(), statistics);
    return world;
  }

  newClient(): CriClient {
    return CriClient.lazy({ endpoint: this.runtime.endpoint, ...connectOptions });
  }

  violate(message: string): void {
    if (this.violations.includes(message)) return;
    this.violations.push(message);
    this.history.note(`VIOLATION  ${message}`);
  }

  /** Throws if anything has been found that must not be. */
  check(): void {
    if (this.violations.length > 0) throw new Error(`${this.violations.join("\n")}\n\n${this.history}`);
  }

  /** Begins a call of the facade. It is judged when it settles; nobody has to wait for it. */
  begin(
    name: string,
    how: HowToCall,
    send: (operation: Operation, client: CriClient) => Promise<unknown>,
    settled: (operation: Operation) => void = () => {},
  ): Operation {
    const operation = new Operation(this.operations.length + 1, name, how, this.client);
    this.operations.push(operation);
    this.history.note(`begin      ${operation} ${JSON.stringify(how)}`);
    const client = how.derived ? this.client.with({ retry: { maxAttempts: 2 } }) : this.client;
    if (how.abort === "before") operation.abort();
    if (!this.isUp) this.truth.troubles.push({ at: operation.startedAt, what: "the runtime is down", operation });
    const end = (outcome: NonNullable<Operation["outcome"]>) => {
      operation.outcome = outcome;
      operation.settledAt = performance.now();
      this.history.note(`settled    ${operation} ${operation.describeOutcome()}`);
      this.statistics.count("operations", name.split(" ")[0] as string);
      this.statistics.count("outcomes", outcomeOf(operation));
      this.truth.look();
      settled(operation);
      checkSettled(operation, this);
    };
    let promise: Promise<unknown>;
    try {
      promise = send(operation, client);
    } catch (error) {
      promise = Promise.reject(error);
    }
    promise
      .then(
        (value) => end({ value }),
        (reason: unknown) => end({ reason }),
      )
      .catch((error: unknown) =>
        this.violate(`the test itself failed: ${error instanceof Error ? error.stack : error}`),
      );
    if (typeof how.abort === "object" && "afterMs" in how.abort) {
      setTimeout(() => operation.abort(), how.abort.afterMs).unref();
    }
    return operation;
  }

  inject(fault: Fault): void {
    this.history.note(`fault      ${describeFault(fault)}`);
    inject(this.runtime, fault, (request, struck) => this.#struck(request, struck));
  }

  /** Something that hits every call under way. */
  trouble(what: string): void {
    this.history.note(`trouble    ${what}`);
    this.statistics.count("troubles", what);
    this.truth.troubles.push({ at: performance.now(), what, operation: undefined });
  }

  closeClient(): void {
    for (const operation of this.operations) {
      if (!operation.outcome) operation.closedAt ??= performance.now();
    }
    this.trouble("client closed");
    void this.client.close();
    this.client = this.newClient();
  }

  /** Makes the runtime a good one again: no faults, up, and nothing left that hangs. */
  async heal(): Promise<void> {
    this.runtime.clearFaults();
    this.#watch();
    if (!this.isUp || this.hasHung === "for good") {
      this.trouble("healed by a restart");
      await this.runtime.restart();
      this.isUp = true;
    } else if (this.hasHung === "for its client") {
      this.trouble("healed by disconnecting");
      this.runtime.disconnectClients();
    }
    this.hasHung = "no";
  }

  /** Waits until operations have settled, for so long at most. */
  async settle(operations: readonly Operation[], mostMs: number): Promise<void> {
    const until = performance.now() + mostMs;
    while (operations.some(({ outcome }) => !outcome) && performance.now() < until && this.violations.length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
  }

  /** Lets go of everything, whatever state it is in. */
  async dispose(): Promise<void> {
    for (const operation of this.operations) operation.abort();
    await this.client.close();
    await this.runtime.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  started(containerId: string): void {
    this.truth.starts.set(containerId, (this.truth.starts.get(containerId) ?? 0) + 1);
  }

  executed(number: number): void {
    const times = (this.truth.executions.get(number) ?? 0) + 1;
    this.truth.executions.set(number, times);
    if (times > 1) this.violate(`the command of ${this.operations[number - 1]} ran ${times} times`);
  }

  /** A fault that is asked about every call, and strikes none. It has to come before all others. */
  #watch(): void {
    this.runtime.failNext("*", {
      code: "UNKNOWN",
      times: Infinity,
      match: () => {
        const record = this.runtime.calls.at(-1);
        if (record) this.#arrived(record);
        return false;
      },
    });
  }

  #operationOf(record: RecordedCall): Operation | undefined {
    const number = record.metadata[operationHeader];
    return number === undefined ? undefined : this.operations[Number(number) - 1];
  }

  #arrived(record: RecordedCall): void {
    this.truth.look();
    const operation = this.#operationOf(record);
    this.history.note(`  arrived  ${record.rpc}${operation ? ` of ${operation}` : ""}`);
    if (!operation) return;
    operation.calls.push({ at: performance.now(), record });
    if (creations.has(record.rpc)) this.truth.noteMaker(record, operation);
    const { abort } = operation.how;
    if (typeof abort === "object" && "onCall" in abort && abort.onCall === operation.calls.length) operation.abort();
  }

  #struck(request: object, fault: Fault): void {
    const record = this.runtime.calls.at(-1) as RecordedCall;
    const operation = this.#operationOf(record);
    this.history.note(`  struck   ${record.rpc}${operation ? ` of ${operation}` : ""} by ${describeFault(fault)}`);
    this.statistics.count("faults struck", `${fault.kind} ${fault.phase}`);
    this.truth.struck(request, fault);
    if (fault.kind === "hang") {
      const unattended = fault.phase === "duringEffect" && this.runtime.flavor === "cri-o";
      if (unattended) this.hasHung = "for good";
      else if (this.hasHung === "no") this.hasHung = "for its client";
    }
    // What goes wrong with the creation itself is no reason not to clean up after it; what else goes wrong may be one.
    const onlyCreation = creations.has(record.rpc) && fault.kind !== "drop";
    if (onlyCreation) return;
    const concerned = fault.kind === "drop" ? undefined : operation;
    this.truth.troubles.push({ at: performance.now(), what: describeFault(fault), operation: concerned });
  }
}

function outcomeOf(operation: Operation): string {
  if (operation.fulfilled) return "fulfilled";
  return CriError.is(operation.reason) ? operation.reason.code : "cancelled";
}
