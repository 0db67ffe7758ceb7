/**
 * What is measured, and what is told of it.
 *
 * @module
 */
import type { Chart } from "../support/chart.js";
import type { Section } from "../support/page.js";
import { median, quantile } from "../support/statistics.js";
import { decodedSize, sizes } from "./replies.js";
import type { ListMethod, Task } from "./task.js";

/** A section of the page before it has figures. */
export interface Group extends Omit<Section, "charts"> {
  scenarios: Scenario[];
}

/** A chart before it has figures. */
export interface View extends Omit<Chart, "bars"> {
  /** The two figures to tell out of those of all rounds. */
  summarise(results: readonly (readonly number[])[]): [number, number];
}

export interface Scenario extends View {
  task: Task;
  /** Whether one round is all there is. */
  once?: boolean;
  /** What else the same measurement tells. */
  also?: View;
}

const times = {
  unit: "ms",
  columns: ["p50", "p99"],
  summarise: (results: readonly (readonly number[])[]): [number, number] => {
    const all = results.flat();
    return [median(all), quantile(all, 0.99)];
  },
} satisfies Partial<View>;

/** How often a list of that size is asked for in a round. */
const callsOf = (n: number) => Math.max(3, Math.min(30, Math.round(20_000 / n)));

const lists = (method: ListMethod): Scenario[] =>
  sizes.map((n) => ({
    ...times,
    name: `${method}, ${n.toLocaleString("en")}`,
    task: { kind: "calls", method, n, calls: callsOf(n), inFlight: 1 },
  }));

/** @param rounds how often everything is measured; memory is looked at after a thousand lists for each */
export function groups(rounds: number): Group[] {
  const version = { kind: "calls", method: "Version", n: 0 } as const;
  return [
    {
      id: "round-trips",
      title: "Small calls",
      about:
        "Version, whose messages are a few dozen bytes: one call after the other, and 64 under way at any time. The time is that of one call. " +
        "Ours and Go's have a deadline, which is a header and a timer on either side; the others have none, and wait for ever.",
      scenarios: [
        { ...times, name: "Version, one at a time", task: { ...version, calls: 500, inFlight: 1 } },
        { ...times, name: "Version, 64 in flight", task: { ...version, calls: 1_280, inFlight: 64 } },
      ],
    },
    {
      id: "containers",
      title: "Lists of containers",
      about: "From the call to the array of decoded containers.",
      scenarios: lists("ListContainers"),
    },
    {
      id: "pods",
      title: "Lists of pods",
      about: "The same for pods.",
      scenarios: lists("ListPodSandbox"),
    },
    {
      id: "stats",
      title: "Statistics of containers",
      about: "The same for the statistics of all containers, which are mostly 64-bit numbers.",
      scenarios: lists("ListContainerStats"),
    },
    {
      id: "messages",
      title: "Decoding and encoding",
      about:
        "Without any call: a reply with containers that is in memory is decoded, and the request of a large CreateContainer (300 variables, 80 mounts, 140 annotations) is encoded. " +
        "JSON.parse and JSON.stringify of the same data are a yardstick.",
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
      title: "Delay of the event loop",
      about:
        "How long a timer has to wait while 10,000 containers are listed: the longest wait, and the 99th percentile of all waits. Medians over the rounds, in each of which the list is asked for three times; " +
        "perf_hooks looks every millisecond, and nothing is subtracted. Node.js only. This package decodes for 2 ms at a time. What is left is grpc-js, which puts the reply together in one piece, and collections of garbage, which the second table shows by themselves: V8 moves all young objects that are still in use at once, " +
        "and with a list in the making that is nearly all of them. A flag of Node.js bounds how many there are, in the second line `--max-semi-space-size=2`: a program that must not wait has long lists and short waits with it.",
      scenarios: [
        {
          name: "while listing 10,000 containers",
          unit: "ms",
          columns: ["max", "p99"],
          task: { kind: "delay", method: "ListContainers", n: 10_000, calls: 3 },
          summarise: (results) => [medianOf(results, 0), medianOf(results, 1)],
          also: {
            name: "collections of garbage meanwhile",
            unit: "ms",
            columns: ["longest", "each list's"],
            summarise: (results) => [medianOf(results, 2), medianOf(results, 3)],
          },
        },
      ],
    },
    {
      id: "memory",
      title: "Memory",
      about:
        "Of a process that has listed 100 containers that often and kept nothing: all of it, and the heap after a garbage collection. Node.js only.",
      scenarios: [
        {
          name: `after ${(rounds * 1_000).toLocaleString("en")} lists of 100 containers`,
          unit: "MB",
          columns: ["RSS", "heap"],
          once: true,
          task: { kind: "memory", method: "ListContainers", n: 100, calls: rounds * 1_000 },
          summarise: (results) => [medianOf(results, 0) / 1e6, medianOf(results, 1) / 1e6],
        },
      ],
    },
  ];
}

const medianOf = (results: readonly (readonly number[])[], index: number) =>
  median(results.map((figures) => figures[index] ?? Number.NaN));
