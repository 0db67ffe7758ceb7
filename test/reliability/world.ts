import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConnectOptions, CriClient, CriError } from "../../src/index.js";
import { type FakeFlavor, FakeRuntime, type RecordedCall } from "../../src/testing/index.js";
import { echo, program, script } from "./container-programs.js";
import { Expectations } from "./expectations.js";
import { describeFault, type Fault, inject } from "./faults.js";
import { checkSettled } from "./invariants.js";
import { type CallPlan, Operation, operationHeader } from "./operation.js";
import { History, type Statistics } from "./report.js";
import { ServerTruth } from "./server-truth.js";

/** Options of all clients, with short intervals so that a sequence takes little time. */
export const connectOptions = {
  defaults: { retry: { initialBackoffMs: 10, maxBackoffMs: 40 } },
  channelOptions: { "grpc.initial_reconnect_backoff_ms": 20, "grpc.max_reconnect_backoff_ms": 60 },
  watch: { pollMs: 40, relistMs: 80 },
} satisfies Omit<ConnectOptions, "endpoint">;

/** A stream or session that the final checks close. */
export interface Opened {
  readonly name: string;
  close(): Promise<unknown>;
}

/** RPCs that create objects. */
const creations: ReadonlySet<string> = new Set(["RunPodSandbox", "CreateContainer"]);
/** RPCs of a creation, as opposed to those for lookup and clean-up. */
const creationSteps: ReadonlySet<string> = new Set([...creations, "StartContainer"]);

/** The system under test in one sequence: a runtime, its client and the running operations. */
export class World {
  readonly history = new History();
  readonly truth: ServerTruth;
  readonly operations: Operation[] = [];
  readonly opened: Opened[] = [];
  /** A long-lived signal that is never aborted. */
  readonly longLived = new AbortController();
  readonly violations: string[] = [];
  client: CriClient;
  isUp = true;
  /** Whether a call hangs, or has hung, until its connection is closed or the runtime restarts. */
  hang: "none" | "until disconnect" | "until restart" = "none";

  private constructor(
    readonly runtime: FakeRuntime,
    readonly folder: string,
    readonly expectations: Expectations,
    readonly statistics: Statistics,
  ) {
    this.truth = new ServerTruth(runtime, (message) => this.reportViolation(message));
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

  reportViolation(message: string): void {
    if (this.violations.includes(message)) return;
    this.violations.push(message);
    this.history.note(`VIOLATION  ${message}`);
  }

  /** Throws if there are violations. */
  check(): void {
    if (this.violations.length > 0) throw new Error(`${this.violations.join("\n")}\n\n${this.history}`);
  }

  /** Starts a call without waiting for it. All invariants are checked when it settles. */
  begin(
    name: string,
    plan: CallPlan,
    send: (operation: Operation, client: CriClient) => Promise<unknown>,
    settled: (operation: Operation) => void = () => {},
  ): Operation {
    const operation = new Operation(this.operations.length + 1, name, plan, this.client);
    this.operations.push(operation);
    this.history.note(`begin      ${operation} ${JSON.stringify(plan)}`);
    const client = plan.derived ? this.client.with({ retry: { maxAttempts: 2 } }) : this.client;
    if (plan.abort === "before") operation.abort();
    if (!this.isUp)
      this.truth.disturbances.push({ at: operation.startedAt, description: "the runtime is down", operation });
    const end = (outcome: NonNullable<Operation["outcome"]>) => {
      operation.outcome = outcome;
      operation.settledAt = performance.now();
      this.history.note(`settled    ${operation} ${operation.describeOutcome()}`);
      this.statistics.count("operations", name.split(" ")[0] as string);
      this.statistics.count("outcomes", outcomeOf(operation));
      this.truth.update();
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
        this.reportViolation(`the test code failed: ${error instanceof Error ? error.stack : error}`),
      );
    if (typeof plan.abort === "object" && "afterMs" in plan.abort) {
      setTimeout(() => operation.abort(), plan.abort.afterMs).unref();
    }
    return operation;
  }

  inject(fault: Fault): void {
    this.history.note(`fault      ${describeFault(fault)}`);
    inject(this.runtime, fault, (request, injected) => this.#onFault(request, injected));
  }

  /** Records an event that affects all running operations. */
  disturb(description: string): void {
    this.history.note(`disturbed  ${description}`);
    this.statistics.count("disturbances", description);
    this.truth.disturbances.push({ at: performance.now(), description, operation: undefined });
  }

  closeClient(): void {
    for (const operation of this.operations) {
      if (!operation.outcome) operation.closedAt ??= performance.now();
    }
    this.disturb("client closed");
    void this.client.close();
    this.client = this.newClient();
  }

  /** Restores a working runtime: clears all faults, starts the runtime, and ends hanging calls. */
  async restore(): Promise<void> {
    this.runtime.clearFaults();
    this.#watch();
    if (!this.isUp || this.hang === "until restart") {
      this.disturb("restored by a restart");
      await this.runtime.restart();
      this.isUp = true;
    } else if (this.hang === "until disconnect") {
      this.disturb("restored by disconnecting");
      this.runtime.disconnectClients();
    }
    this.hang = "none";
  }

  /** Waits until the operations have settled, at most `timeoutMs`. */
  async settle(operations: readonly Operation[], timeoutMs: number): Promise<void> {
    const until = performance.now() + timeoutMs;
    while (operations.some(({ outcome }) => !outcome) && performance.now() < until && this.violations.length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
  }

  /** Aborts all operations and stops the client and the runtime. */
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
    if (times > 1) this.reportViolation(`the command of ${this.operations[number - 1]} ran ${times} times`);
  }

  /** Observes every call through a fault that never applies. This fault must be injected before all others. */
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
    this.truth.update();
    const operation = this.#operationOf(record);
    this.history.note(`  arrived  ${record.rpc}${operation ? ` of ${operation}` : ""}`);
    if (!operation) return;
    operation.calls.push({ at: performance.now(), record });
    if (creations.has(record.rpc)) this.truth.recordCreator(record, operation);
    const { abort } = operation.plan;
    if (typeof abort !== "object" || operation.outcome) return;
    if ("onCall" in abort && abort.onCall === operation.calls.length) operation.abort();
    if ("closeOnCall" in abort && abort.closeOnCall === operation.calls.length) this.closeClient();
  }

  #onFault(request: object, fault: Fault): void {
    const record = this.runtime.calls.at(-1) as RecordedCall;
    const operation = this.#operationOf(record);
    this.history.note(`  fault    ${record.rpc}${operation ? ` of ${operation}` : ""} by ${describeFault(fault)}`);
    this.statistics.count("injected faults", `${fault.kind} ${fault.phase}`);
    this.truth.recordFault(request, fault);
    if (fault.kind === "hang") {
      const survivesDisconnect = fault.phase === "duringEffect" && this.runtime.flavor === "cri-o";
      if (survivesDisconnect) this.hang = "until restart";
      else if (this.hang === "none") this.hang = "until disconnect";
    }
    // A fault in a step of a creation does not excuse a missing clean-up. Other faults may prevent it.
    if (creationSteps.has(record.rpc) && fault.kind !== "drop") return;
    const concerned = fault.kind === "drop" ? undefined : operation;
    this.truth.disturbances.push({ at: performance.now(), description: describeFault(fault), operation: concerned });
  }
}

function outcomeOf(operation: Operation): string {
  if (operation.fulfilled) return "fulfilled";
  return CriError.is(operation.reason) ? operation.reason.code : "cancelled";
}
