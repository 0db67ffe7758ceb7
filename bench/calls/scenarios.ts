/**
 * The measurements of calls, and what the page says about them.
 *
 * @module
 */
import type { Chart } from "../support/chart.js";
import type { Section } from "../support/page.js";
import { median, quantile } from "../support/statistics.js";
import { decodedSize, sizes } from "./replies.js";
import type { Calls, ListMethod, Task } from "./task.js";

/** A section of the page without figures. */
export interface Group extends Omit<Section, "charts"> {
  scenarios: Scenario[];
  /** Calls whose profile the text of the section ends with. */
  profile?: Calls;
}

/** A chart without figures. */
export interface View extends Omit<Chart, "bars"> {
  /** Reduces the figures of all rounds to the two in the chart. */
  summarise(results: readonly (readonly number[])[]): [number, number];
}

export interface Scenario extends View {
  task: Task;
  /** Whether it runs in one round only. */
  singleRound?: boolean;
  /** A second chart from the same measurement. */
  secondView?: View;
}

const times = {
  unit: "ms",
  columns: ["p50", "p99"],
  summarise: (results: readonly (readonly number[])[]): [number, number] => {
    const all = results.flat();
    return [median(all), quantile(all, 0.99)];
  },
} satisfies Partial<View>;

/** The number of lists of a size in one round. */
const callsOf = (n: number) => Math.max(3, Math.min(30, Math.round(20_000 / n)));

const lists = (method: ListMethod): Scenario[] =>
  sizes.map((n) => ({
    ...times,
    name: `${method}, ${n.toLocaleString("en")}`,
    task: { kind: "calls", method, n, calls: callsOf(n), inFlight: 1 },
  }));

/** @param rounds number of measurements of each scenario; memory is measured after 1,000 lists per round */
export function groups(rounds: number): Group[] {
  const version = { kind: "calls", method: "Version", n: 0 } as const;
  return [
    {
      id: "round-trips",
      title: "Small calls",
      about:
        "Calls of Version, whose messages have a few dozen bytes: one at a time, and 64 in flight. Times are per call. " +
        "This package and the Go client set a deadline, which costs a header and a timer on both sides. The other clients set none: they would wait forever.",
      profile: { ...version, calls: 20_000, inFlight: 64 },
      scenarios: [
        { ...times, name: "Version, one at a time", task: { ...version, calls: 500, inFlight: 1 } },
        { ...times, name: "Version, 64 in flight", task: { ...version, calls: 1_280, inFlight: 64 } },
      ],
    },
    {
      id: "containers",
      title: "Lists of containers",
      about: "Times from the call to the array of decoded containers.",
      scenarios: lists("ListContainers"),
    },
    {
      id: "pods",
      title: "Lists of pods",
      about: "Times from the call to the array of decoded pods.",
      scenarios: lists("ListPodSandbox"),
    },
    {
      id: "stats",
      title: "Statistics of containers",
      about:
        "Times from the call to the array of decoded statistics of all containers. An entry has sixteen 64-bit numbers. JavaScript needs an object for each of them, " +
        "and one more for each of the twelve that may be absent; Go needs only the latter.",
      profile: { kind: "calls", method: "ListContainerStats", n: 10_000, calls: 30, inFlight: 1 },
      scenarios: lists("ListContainerStats"),
    },
    {
      id: "messages",
      title: "Decoding and encoding",
      about:
        "No calls: a reply with containers is decoded from memory, and a large CreateContainer request (300 variables, 80 mounts, 140 annotations) is encoded. " +
        "JSON.parse and JSON.stringify of the same data are the baseline.",
      scenarios: [
        {
          ...times,
          name: `decode ${decodedSize.toLocaleString("en")} containers`,
          task: { kind: "decode", calls: 20, inFlight: 1 },
        },
        { ...times, name: "encode CreateContainer", task: { kind: "encode", calls: 200, inFlight: 1 } },
      ],
    },
    {
      id: "event-loop",
      title: "Event loop delay",
      about:
        "How late timers fire while 10,000 containers are listed: the longest delay and the 99th percentile of all delays, as medians over the rounds. Each round lists three times. " +
        "perf_hooks samples every millisecond; the figures include this interval. Node.js clients only. This package decodes for at most 2 ms at a time, and does not join the pieces in which a reply arrives. The remaining delays are garbage collections. " +
        "The second table shows garbage collection alone. V8 moves all live young objects in one pause, and while a list is being built, nearly all young objects are live. " +
        "`iterate` (second line) keeps no entry, so few of them are alive at a time. " +
        "The Node.js flag `--max-semi-space-size=2` (third line) limits the number of young objects: long lists then cause shorter delays.",
      scenarios: [
        {
          name: "while listing 10,000 containers",
          unit: "ms",
          columns: ["max", "p99"],
          task: { kind: "delay", method: "ListContainers", n: 10_000, calls: 3 },
          summarise: (results) => [medianOf(results, 0), medianOf(results, 1)],
          secondView: {
            name: "garbage collection while listing",
            unit: "ms",
            columns: ["longest", "per list"],
            summarise: (results) => [medianOf(results, 2), medianOf(results, 3)],
          },
        },
      ],
    },
    {
      id: "memory",
      title: "Memory",
      about:
        "Memory of a process that listed 100 containers repeatedly and kept nothing: resident memory, and the heap after a garbage collection. Node.js clients only.",
      scenarios: [
        {
          name: `after ${(rounds * 1_000).toLocaleString("en")} lists of 100 containers`,
          unit: "MB",
          columns: ["RSS", "heap"],
          singleRound: true,
          task: { kind: "memory", method: "ListContainers", n: 100, calls: rounds * 1_000 },
          summarise: (results) => [medianOf(results, 0) / 1e6, medianOf(results, 1) / 1e6],
        },
      ],
    },
  ];
}

const medianOf = (results: readonly (readonly number[])[], index: number) =>
  median(results.map((figures) => figures[index] ?? Number.NaN));
