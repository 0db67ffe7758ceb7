/**
 * The runtime is killed at a random moment of many pods' lives, again and again: no answer is wrong, and nothing is left. Small by
 * default; `CRI_TEST_THOROUGH=1` takes 30 rounds of 20 pods on each runtime, a quarter of an hour or so.
 *
 * What containerd itself loses track of when it is killed, no client of CRI can see or remove: it is counted, and told. It may be
 * of nothing but what was being made or removed at that moment.
 *
 * @module
 */
import { randomInt } from "node:crypto";
import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { NamespaceMode } from "k8s-cri-client/proto";
import { expect, test } from "vitest";
import { thorough } from "../support/thorough.js";
import { Chronicle } from "./crash/checked-calls.js";
import { callsPerLifecycle, type LifecyclePlan, PodLifecycle } from "./crash/pod-lifecycle.js";
import { eventually, inBatches } from "./helpers/expectations.js";
import { type Fixture, labJourneys, type PodSpec } from "./helpers/journeys.js";
import { type NodeResource, nodeResourcesOf } from "./helpers/node-resources.js";
import { Random } from "./helpers/random.js";

const [roundCount, podCount] = thorough ? [30, 20] : [1, 4];
/** `CRI_TEST_SEED` brings back the chances of an earlier run; what the machine makes of them is its own affair. */
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
    tidiness: index % 2 === 0 ? "using" : "by hand",
    adopts,
    ...(index % 5 === 2 && { cancelAfterMs: random.below(1_500) }),
  };
}

labJourneys("crash", (fixture) => {
  const { cri, runtime } = fixture;

  test(
    `SIGKILL and restart (${roundCount}) with ${podCount} pods at once: no wrong answer, and nothing is left`,
    async () => {
      console.log(`${runtime.name}: CRI_TEST_SEED=${seed}`);
      const startedAt = performance.now();
      const random = new Random(seed);
      const figures = new Figures();
      const before = nodeResourcesOf(runtime.endpoint);
      for (let index = 0; index < roundCount; index++) {
        const { chronicle, lives, steps, untouched } = await round(index, random);
        expect(chronicle.wrong, `round ${index}\n${chronicle.wrong.join("\n")}`).toEqual([]);
        const found = await removeWhatIsFound(chronicle);
        await expectFree(lives.map(({ plan }) => plan.pod));
        expect(await fixture.leftovers(), `after round ${index}`).toEqual([]);
        const left = await tracesOnceGone(untouched, before);
        figures.add(chronicle, steps, found, left);
      }
      console.log(`${runtime.name}: ${figures} in ${Math.round((performance.now() - startedAt) / 1_000)} s`);
    },
    thorough ? 7_200_000 : 300_000,
  );

  test("pods that are given up while they are being made leave no process", async () => {
    const processes = () => nodeResourcesOf(runtime.endpoint).filter(({ kind }) => kind === "process");
    const known = new Set(processes().map(({ name }) => name));
    const left = () => processes().filter(({ name }) => !known.has(name));
    const giveUp = async (work: (signal: AbortSignal) => Promise<unknown>) => {
      const reason = new Error("given up");
      const abort = new AbortController();
      const timer = setTimeout(() => abort.abort(reason), randomInt(200));
      await work(abort.signal).catch((error: unknown) => abort.signal.aborted || expect(error).toBe(reason));
      clearTimeout(timer);
    };
    for (let index = 0; index < (thorough ? 150 : 12); index++) {
      await giveUp(async (signal) => {
        await using _pod = await cri.pods.run(fixture.podSpec({ hostNetwork: true }), { signal });
      });
    }
    await eventually(left, ({ length }) => length === 0);
    if (!thorough) return;
    // For comparison: cut short on the wire, as any other client does it.
    for (let index = 0; index < 150; index++) {
      const metadata = { name: fixture.name(), namespace: fixture.namespace, uid: fixture.name("uid") };
      const linux = { securityContext: { namespaceOptions: { network: NamespaceMode.NODE } } };
      await giveUp((signal) =>
        cri.raw.runtime.runPodSandbox({ config: { metadata, linux } }, { signal, retry: false }),
      );
      await sleep(150);
      for (const { id } of await cri.pods.list({ namespace: fixture.namespace })) await cri.pods.remove(id);
    }
    await sleep(2_000);
    console.log(`${runtime.name}: of 150 raw calls that were given up ${left().length} processes are left`);
  });

  /** Lets some lives run, kills the runtime in the middle of them, and waits until all are over. */
  async function round(index: number, random: Random) {
    const chronicle = new Chronicle();
    // Some programs are patient, and some have the defaults.
    await using patient = fixture.client({ defaults: { retry: { maxAttempts: 100, maxBackoffMs: 500 } } });
    const lives = Array.from({ length: podCount }, (_, number) => {
      const plan = planOf(fixture, `life-${index}-${number}`, number, random);
      return new PodLifecycle(random.chance(0.5) ? cri : patient, patient, plan, chronicle, random.fork());
    });
    // By calls, and not by time, so that the moments are spread over the lives on any machine.
    const killAfterCalls = random.next() * 0.9 * callsPerLifecycle * podCount;
    const [delayMs, awayMs] = [random.below(300), random.below(1_000)];
    const atRest = () => lives.flatMap((life) => [...life.atRest]);
    let steps: string[] = [];
    let untouched: string[] = [];
    let over = false;
    const kill = async () => {
      while (chronicle.calls < killAfterCalls && !over) await sleep(2);
      await sleep(delayMs);
      steps = lives.map(({ step }) => step);
      const before = atRest();
      chronicle.killed = true;
      await runtime.kill();
      // A life goes on until the signal arrives: what is at rest afterwards as well was so all the time.
      untouched = atRest().filter((id) => before.includes(id));
      await sleep(awayMs);
      await runtime.start();
    };
    const live = async () => {
      await Promise.all(lives.map((life) => life.live()));
      over = true;
    };
    await Promise.all([kill(), live()]);
    await cri.waitForReady({ timeoutMs: 60_000 });
    return { chronicle, lives, steps, untouched };
  }

  /** Pods that turned up when nobody asked for them any more: only of calls that said that this might be. */
  async function removeWhatIsFound({ doubtful }: Chronicle): Promise<number> {
    const found = await cri.pods.list({ namespace: fixture.namespace });
    for (const { id, metadata } of found) {
      expect([...doubtful]).toContain(metadata?.name);
      await cri.pods.stop(id);
      await cri.pods.remove(id);
    }
    return found.length;
  }

  /** No name is taken any more: whoever comes next has it. Without a uid there is no name that could be taken again. */
  async function expectFree(specs: readonly PodSpec[]): Promise<void> {
    const named = specs.filter(({ uid }) => uid !== undefined);
    await inBatches(named, 8, async (spec) => {
      await using _pod = await cri.pods.run({ ...spec, hostNetwork: true }, { timeoutMs: 60_000 });
    });
  }

  /** What is on the node of the pods of the test, once there is nothing any more of those with certain ids. */
  async function tracesOnceGone(ids: readonly string[], before: readonly NodeResource[]): Promise<NodeResource[]> {
    const known = new Set(before.map(({ name }) => name));
    const traces = () => nodeResourcesOf(runtime.endpoint).filter(({ name }) => !known.has(name));
    // A removed pod's processes take a moment to be gone.
    await sleep(500);
    await eventually(
      () => traces().filter(({ name }) => ids.some((id) => name.includes(id))),
      ({ length }) => length === 0,
    );
    return traces();
  }
});

/** What is told in the end. */
class Figures {
  readonly #calls = new Map<string, number>();
  readonly #steps = new Map<string, number>();
  readonly #left = new Map<string, string>();
  #kills = 0;
  #found = 0;
  #lost = 0;
  #slowestMs = 0;

  add(chronicle: Chronicle, stepsAtKill: readonly string[], found: number, left: readonly NodeResource[]): void {
    this.#kills++;
    this.#found += found;
    this.#lost += chronicle.lost;
    this.#slowestMs = Math.max(this.#slowestMs, chronicle.slowestMs);
    for (const [outcome, count] of chronicle.outcomes) increase(this.#calls, outcome, count);
    for (const step of stepsAtKill) increase(this.#steps, step, 1);
    for (const { kind, name } of left) this.#left.set(name, kind === "process" ? programOf(name) : kind);
  }

  toString(): string {
    const sum = [...this.#calls.values()].reduce((total, count) => total + count, 0);
    const kinds = new Map<string, number>();
    for (const kind of this.#left.values()) increase(kinds, kind, 1);
    return [
      `${this.#kills} kills during ${list(this.#steps)}`,
      `${sum} calls, ${list(this.#calls, (outcome) => !outcome.endsWith(" OK"))}; the slowest ${Math.round(this.#slowestMs)} ms`,
      `pods found afterwards: ${this.#found}; pods that did not survive: ${this.#lost}`,
      `forgotten by the runtime: ${list(kinds) || "nothing"}`,
    ].join("\n  ");
  }
}

/** The program's name of a process as it is listed, such as `4711 /usr/bin/runc init`. */
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
