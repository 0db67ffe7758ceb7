/**
 * Kills the runtime at random moments of the lifecycles of many pods. No reply may be wrong, and no object may remain. By default,
 * one round of 4 pods runs. `CRI_TEST_THOROUGH=1` runs 30 rounds of 20 pods on each runtime, which takes about 15 minutes.
 *
 * A killed containerd can lose track of some of its own resources. No CRI client can list or remove them. The test counts and
 * prints them. They may belong only to pods that were being created or removed at the moment of the kill.
 *
 * @module
 */
import { randomInt } from "node:crypto";
import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { NamespaceMode } from "k8s-cri-client/proto";
import { expect, test } from "vitest";
import { thorough } from "../support/thorough.js";
import { RoundRecord } from "./crash/checked-calls.js";
import { callsPerLifecycle, type LifecyclePlan, PodLifecycle } from "./crash/pod-lifecycle.js";
import { eventually, inBatches } from "./helpers/expectations.js";
import { type Fixture, labJourneys, type PodSpec } from "./helpers/journeys.js";
import { type NodeResource, nodeResourcesOf } from "./helpers/node-resources.js";
import { Random } from "./helpers/random.js";

const [roundCount, podCount] = thorough ? [30, 20] : [1, 4];
/** `CRI_TEST_SEED` repeats the random choices of an earlier run, but not its timing. */
const seed = Number(process.env.CRI_TEST_SEED ?? randomInt(2 ** 31));

function planOf(fixture: Fixture, name: string, index: number, random: Random): LifecyclePlan {
  const adopts = index % 4 === 1;
  return {
    pod: fixture.podSpec({
      name,
      labels: { life: name },
      ...((adopts || random.chance(0.5)) && { uid: `${fixture.namespace}-${name}` }),
      hostNetwork: random.chance(0.4),
    }),
    container: fixture.containerSpec({ name: "main" }),
    cleanUp: index % 2 === 0 ? "dispose" : "explicit",
    adopts,
    ...(index % 5 === 2 && { abortAfterMs: random.below(1_500) }),
  };
}

labJourneys("crash", (fixture) => {
  const { cri, runtime } = fixture;

  test(
    `SIGKILL and restart (${roundCount} times) with ${podCount} parallel pods causes no wrong reply and leaves nothing`,
    async () => {
      console.log(`${runtime.name}: CRI_TEST_SEED=${seed}`);
      const startedAt = performance.now();
      const random = new Random(seed);
      const figures = new Figures();
      const before = nodeResourcesOf(runtime.endpoint);
      for (let index = 0; index < roundCount; index++) {
        const { record, lifecycles, steps, untouched } = await runRound(index, random);
        expect(record.wrong, `round ${index}\n${record.wrong.join("\n")}`).toEqual([]);
        const found = await removeLatePods(record);
        await expectNamesAvailable(lifecycles.map(({ plan }) => plan.pod));
        expect(await fixture.leftovers(), `after round ${index}`).toEqual([]);
        const left = await waitUntilRemoved(untouched, before);
        figures.add(record, steps, found, left);
      }
      console.log(`${runtime.name}: ${figures} in ${Math.round((performance.now() - startedAt) / 1_000)} s`);
    },
    thorough ? 7_200_000 : 300_000,
  );

  test("pods whose creation is aborted leave no process", async () => {
    const processes = () => nodeResourcesOf(runtime.endpoint).filter(({ kind }) => kind === "process");
    const known = new Set(processes().map(({ name }) => name));
    const left = () => processes().filter(({ name }) => !known.has(name));
    const abortAtRandom = async (work: (signal: AbortSignal) => Promise<unknown>) => {
      const reason = new Error("aborted");
      const abort = new AbortController();
      const timer = setTimeout(() => abort.abort(reason), randomInt(200));
      await work(abort.signal).catch((error: unknown) => abort.signal.aborted || expect(error).toBe(reason));
      clearTimeout(timer);
    };
    for (let index = 0; index < (thorough ? 150 : 12); index++) {
      await abortAtRandom(async (signal) => {
        await using _pod = await cri.pods.run(fixture.podSpec({ hostNetwork: true }), { signal });
      });
    }
    await eventually(left, ({ length }) => length === 0);
    if (!thorough) return;
    // For comparison, cancels raw calls on the wire at once, as other clients do.
    for (let index = 0; index < 150; index++) {
      const metadata = { name: fixture.name(), namespace: fixture.namespace, uid: fixture.name("uid") };
      const linux = { securityContext: { namespaceOptions: { network: NamespaceMode.NODE } } };
      await abortAtRandom((signal) =>
        cri.raw.runtime.runPodSandbox({ config: { metadata, linux } }, { signal, retry: false }),
      );
      await sleep(150);
      for (const { id } of await cri.pods.list({ namespace: fixture.namespace })) await cri.pods.remove(id);
    }
    await sleep(2_000);
    console.log(`${runtime.name}: 150 aborted raw calls left ${left().length} processes`);
  });

  /** Runs lifecycles in parallel, kills the runtime during them, and waits until all have ended. */
  async function runRound(index: number, random: Random) {
    const record = new RoundRecord();
    // Half of the lifecycles use a client that retries more often than by default.
    await using retrying = fixture.client({ defaults: { retry: { maxAttempts: 100, maxBackoffMs: 500 } } });
    const lifecycles = Array.from({ length: podCount }, (_, number) => {
      const plan = planOf(fixture, `life-${index}-${number}`, number, random);
      return new PodLifecycle(random.chance(0.5) ? cri : retrying, retrying, plan, record, random.fork());
    });
    // Counts calls instead of time, so that the kills are spread over the lifecycles on fast and slow machines.
    const killAfterCalls = random.next() * 0.9 * callsPerLifecycle * podCount;
    const [delayMs, outageMs] = [random.below(300), random.below(1_000)];
    const unchangedIds = () => lifecycles.flatMap((lifecycle) => [...lifecycle.unchangedIds]);
    let steps: string[] = [];
    let untouched: string[] = [];
    let finished = false;
    const kill = async () => {
      while (record.calls < killAfterCalls && !finished) await sleep(2);
      await sleep(delayMs);
      steps = lifecycles.map(({ step }) => step);
      const before = unchangedIds();
      record.killed = true;
      await runtime.kill();
      // Lifecycles continue until the kill. Only objects that are unchanged before and after it were unchanged all the time.
      untouched = unchangedIds().filter((id) => before.includes(id));
      await sleep(outageMs);
      await runtime.start();
    };
    const runAll = async () => {
      await Promise.all(lifecycles.map((lifecycle) => lifecycle.run()));
      finished = true;
    };
    await Promise.all([kill(), runAll()]);
    await cri.waitForReady({ timeoutMs: 60_000 });
    return { record, lifecycles, steps, untouched };
  }

  /** Removes pods that appeared late. Each must belong to a call that failed with `mayHaveTakenEffect`. */
  async function removeLatePods({ uncertainPods }: RoundRecord): Promise<number> {
    const found = await cri.pods.list({ namespace: fixture.namespace });
    for (const { id, metadata } of found) {
      expect([...uncertainPods]).toContain(metadata?.name);
      await cri.pods.get(id).stop();
      await cri.pods.remove(id);
    }
    return found.length;
  }

  /** Expects that all names are available again. Only specs with a uid have a name that can be reserved. */
  async function expectNamesAvailable(specs: readonly PodSpec[]): Promise<void> {
    const named = specs.filter(({ uid }) => uid !== undefined);
    await inBatches(named, 8, async (spec) => {
      await using _pod = await cri.pods.run({ ...spec, hostNetwork: true }, { timeoutMs: 60_000 });
    });
  }

  /** Waits until the node has no resources of the given ids, and returns the new resources of all other pods. */
  async function waitUntilRemoved(ids: readonly string[], before: readonly NodeResource[]): Promise<NodeResource[]> {
    const known = new Set(before.map(({ name }) => name));
    const newResources = () => nodeResourcesOf(runtime.endpoint).filter(({ name }) => !known.has(name));
    // The processes of a removed pod end asynchronously.
    await sleep(500);
    await eventually(
      () => newResources().filter(({ name }) => ids.some((id) => name.includes(id))),
      ({ length }) => length === 0,
    );
    return newResources();
  }
});

/** Collects the figures that the test prints at the end. */
class Figures {
  readonly #calls = new Map<string, number>();
  readonly #steps = new Map<string, number>();
  readonly #left = new Map<string, string>();
  #kills = 0;
  #found = 0;
  #lost = 0;
  #slowestMs = 0;

  add(record: RoundRecord, stepsAtKill: readonly string[], found: number, left: readonly NodeResource[]): void {
    this.#kills++;
    this.#found += found;
    this.#lost += record.lost;
    this.#slowestMs = Math.max(this.#slowestMs, record.slowestMs);
    for (const [outcome, count] of record.outcomes) increase(this.#calls, outcome, count);
    for (const step of stepsAtKill) increase(this.#steps, step, 1);
    for (const { kind, name } of left) this.#left.set(name, kind === "process" ? programOf(name) : kind);
  }

  toString(): string {
    const sum = [...this.#calls.values()].reduce((total, count) => total + count, 0);
    const kinds = new Map<string, number>();
    for (const kind of this.#left.values()) increase(kinds, kind, 1);
    return [
      `${this.#kills} kills during: ${list(this.#steps)}`,
      `${sum} calls, ${list(this.#calls, (outcome) => !outcome.endsWith(" OK"))}; the slowest ${Math.round(this.#slowestMs)} ms`,
      `pods that appeared late: ${this.#found}; pods that the kill ended: ${this.#lost}`,
      `resources that the runtime lost track of: ${list(kinds) || "nothing"}`,
    ].join("\n  ");
  }
}

/** Returns the name of the program of a listed process, for example `runc` of `4711 /usr/bin/runc init`. */
function programOf(process: string): string {
  return basename(process.split(" ")[1] ?? "");
}

function increase(counts: Map<string, number>, key: string, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}

function list(counts: Map<string, number>, wanted: (key: string) => boolean = () => true): string {
  const entries = [...counts].filter(([key]) => wanted(key)).sort(([, left], [, right]) => right - left);
  return entries.map(([key, count]) => `${key} ${count}`).join(", ");
}
