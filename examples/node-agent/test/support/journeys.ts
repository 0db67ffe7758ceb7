/**
 * Registers journeys of a fleet: three agents, each with its own containerd, one controller and a real API server.
 *
 * @module
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ControlAction, control } from "../../../../test/runtime/control.js";
import { providedRuntimes } from "../../../../test/runtime/support.js";
import type { ApiServerKind } from "../../cluster/api-server.js";
import type { Condition, NodeTask, NodeTaskResult, NodeTaskSpec } from "../../src/api/types.js";
import { Fleet } from "./fleet.js";

/** How long journeys wait for something to happen. It happens much sooner, except on a busy machine. */
export const limit = { timeout: 60_000, interval: 100 };

/** Runs until it is stopped, and then ends at once. Without the trap, the first process of a container ignores SIGTERM. */
const service = "trap 'exit 0' TERM; sleep 1000000 & wait";

type Template = NodeTaskSpec["template"];

/** What the journeys of one file share. */
export class Journey {
  fleet!: Fleet;
  #count = 0;

  constructor(
    readonly kind: ApiServerKind,
    readonly nodeNames: readonly string[],
    private readonly image: string,
  ) {}

  /** Returns a name that no other task has. */
  name(): string {
    return `task-${++this.#count}`;
  }

  /** A pod with one container that runs a shell line. */
  template(line: string, labels: Record<string, string> = {}): Template {
    const container = { name: "main", image: this.image, command: ["/bin/sh", "-c", line] };
    const settings = { restartPolicy: "Never", terminationGracePeriodSeconds: 0, hostNetwork: true };
    return { metadata: { labels }, spec: { ...settings, containers: [container] } };
  }

  /** A pod that runs until it is stopped. Another version is another template. */
  service(version = "1"): Template {
    return this.template(service, { version });
  }

  /** Creates a task of the mode KeepRunning, and returns its name when it is ready on all nodes. */
  async keepRunning(spec: Partial<NodeTaskSpec> = {}): Promise<string> {
    const name = this.name();
    await this.fleet.create(name, { mode: "KeepRunning", template: this.service(), ...spec });
    await this.until(name, { ready: this.nodeNames.length });
    return name;
  }

  /** Waits until a task that was changed once is ready on all nodes with its new template. */
  async rolledOut(name: string): Promise<NodeTask> {
    const { length } = this.nodeNames;
    return await this.until(name, { observedGeneration: 2, updated: length, ready: length });
  }

  /** The ids of the pods of a task, on each node. */
  async pods(name: string): Promise<string[][]> {
    return await Promise.all(this.fleet.nodes.map((node) => node.pods(name)));
  }

  /** Waits until a task's status has a value, and returns the task. */
  async until(name: string, status: object): Promise<NodeTask> {
    await expect.poll(async () => (await this.fleet.task(name))?.status, limit).toMatchObject(status);
    return (await this.fleet.task(name)) as NodeTask;
  }

  /** The results of a task, in the order of the nodes. */
  async results(name: string): Promise<(NodeTaskResult | undefined)[]> {
    const found = await this.fleet.resultsOf(name);
    return this.nodeNames.map((node) => found[node]);
  }

  /** Deletes a task, and waits until nothing of it is left in the cluster and on the nodes. */
  async remove(name: string): Promise<void> {
    await this.fleet.remove(name);
    await this.expectNothingLeft(name);
  }

  async expectNothingLeft(name: string): Promise<void> {
    await expect.poll(() => this.fleet.left(name), limit).toEqual([]);
  }

  async control(action: ControlAction, node: string): Promise<void> {
    const runtime = providedRuntimes().runtimes.find(({ name }) => name === node);
    if (runtime?.lab === undefined) throw new Error(`${node} is not a runtime of the lab`);
    await control(runtime.lab.controlSocket, action, node);
  }
}

/** The status of all nodes at once. */
export function onAll<T>(value: T, { nodeNames }: Journey): T[] {
  return nodeNames.map(() => value);
}

export function condition(task: NodeTask | undefined, type: Condition["type"]): Condition | undefined {
  return task?.status?.conditions.find((one) => one.type === type);
}

/** Registers journeys for one kind of API server. After each, no node may ever have had two pods of a task. */
export function journeys(title: string, kind: ApiServerKind, register: (journey: Journey) => void): void {
  const { runtimes, skipped } = providedRuntimes();
  if (runtimes.length === 0) return void test.skip(skipped ?? "no runtime to test against", () => {});
  describe(`${title} (API server: ${kind})`, () => {
    const journey = new Journey(
      kind,
      runtimes.map(({ name }) => name),
      runtimes[0]?.image ?? "",
    );
    beforeAll(async () => {
      journey.fleet = await Fleet.start(kind, runtimes);
    }, 1_200_000);
    afterAll(async () => {
      await journey.fleet?.[Symbol.asyncDispose]();
      expect(journey.fleet?.violations ?? []).toEqual([]);
    });
    register(journey);
  });
}
