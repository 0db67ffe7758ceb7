import { quantile, show } from "../../../bench/support/statistics.js";
import { table } from "../../../bench/support/table.js";
import type { Measured } from "./counters.js";
import { type Costs, type Load, loadOf } from "./model.js";
import type { Phase } from "./phases.js";

const sum = (counts: Record<string, number>) => Object.values(counts).reduce((all, one) => all + one, 0);
const mega = (bytes: number) => show(bytes / 1e6);

/** How long each phase took, and what the API server did in it. */
export function phaseTable(phases: readonly Phase[]): string {
  const heads = ["phase", "seconds", "done after", "requests", "a second", "peak of agents", "events to watches"];
  const rows = phases.map(({ name, convergedMs = Number.NaN, change, peakPerSecond }) => {
    const requests = sum(change.requests);
    const rates = [requests / change.seconds, peakPerSecond].map(show);
    return [
      name,
      show(change.seconds),
      show(convergedMs / 1_000),
      String(requests),
      ...rates,
      String(change.watchEvents),
    ];
  });
  return table(heads, rows);
}

/** What each phase cost. */
export function usageTable(phases: readonly Phase[]): string {
  const heads = [
    "phase",
    "MB received",
    "MB sent",
    "API server CPU s",
    "etcd",
    "controller",
    "one agent",
    "all agents",
  ];
  const rows = phases.map(({ name, change, loopDelayMs }) => {
    const cpu = change.cpuSeconds;
    const seconds = [cpu["API server"], cpu.etcd, cpu.controller, cpu.agent, cpu.agent + cpu.workers].map(show);
    return [name, mega(change.receivedBytes), mega(change.sentBytes), ...seconds, show(loopDelayMs)];
  });
  return table([...heads, "delay ms"], rows);
}

/** The requests of each phase, by verb and resource, and the answers that were errors. */
export function requestTable(phases: readonly Phase[]): string {
  const names = [...new Set(phases.flatMap(({ change }) => Object.keys(change.requests)))].sort();
  const codes = [...new Set(phases.flatMap(({ change }) => Object.keys(change.errors)))].sort();
  const rows = [
    ...names.map((name) => [name, ...phases.map(({ change }) => String(change.requests[name] ?? 0))]),
    ...codes.map((code) => [`answered with ${code}`, ...phases.map(({ change }) => String(change.errors[code] ?? 0))]),
  ];
  return table(["requests", ...phases.map(({ name }) => name)], rows);
}

/** What there is after each phase. */
export function stateTable(phases: readonly Phase[]): string {
  const programs: Measured[] = ["API server", "etcd", "controller", "agent"];
  const heads = ["after", "open watches", "etcd's data MB", ...programs.map((name) => `${name} MB`)];
  const rows = phases.map(({ name, after }) => [
    ...[name, String(after.openWatches), mega(after.databaseBytes)],
    ...programs.map((program) => mega(after.usage[program].memoryBytes)),
  ]);
  return table(heads, rows);
}

/** Warnings and errors that agents and the controller have logged. */
export function troublesOf(phases: readonly Phase[]): string[] {
  return phases.flatMap(({ name, troubles }) =>
    Object.entries(troubles).map(([trouble, count]) => `${name}: ${count} times: ${trouble}`),
  );
}

export function latencyTable(latencies: Readonly<Record<string, readonly number[]>>): string {
  const rows = Object.entries(latencies).map(([name, ms]) => [
    name,
    ...[0.5, 0.99, 1].map((part) => show(quantile(ms, part) / 1_000)),
  ]);
  return table(["from … to …", "p50 s", "p99 s", "longest s"], rows);
}

/** The rows of the model: a name, and how its value is shown. */
const loadRows: { [Key in keyof Load]: [name: string, show: (value: number) => string] } = {
  watches: ["open watches", String],
  watchMemoryBytes: ["their memory in the API server, MB", mega],
  requestsPerSecondAtRest: ["requests a second at rest", show],
  watchCpuAtRest: ["cores at rest, to renew watches", show],
  results: ["results", String],
  resultBytes: ["results in etcd, MB", mega],
  listedAtStart: ["objects read when all agents start, millions", mega],
  listCpuSeconds: ["CPU s to read them from etcd", show],
  cachedCpuSeconds: ["CPU s to read them from the watch cache", show],
  writes: ["writes of results to roll out one task", String],
  compared: ["comparisons with watches for them, millions", mega],
  comparedCpuSeconds: ["CPU s for the comparisons", show],
  statusBytesPerSecond: ["MB a second of task status to agents", mega],
  statusCpu: ["cores to send it", show],
};

export function modelTable(sizes: readonly number[], tasks: number, costs: Costs): string {
  const loads = sizes.map((nodes) => loadOf({ nodes, tasks }, costs));
  const keys = Object.keys(loadRows) as (keyof Load)[];
  const rows = keys.map((key) => [loadRows[key][0], ...loads.map((load) => loadRows[key][1](load[key]))]);
  return table([`${tasks} tasks`, ...sizes.map((nodes) => `${nodes.toLocaleString("en")} nodes`)], rows);
}

const costRows: { [Key in keyof Costs]: [name: string, show: (value: number) => string] } = {
  listedMicroseconds: ["to read an object from etcd for a list, µs", show],
  cachedMicroseconds: ["to read an object from the watch cache for a list, µs", show],
  watchMilliseconds: ["to open a watch on a new connection, ms", show],
  watchBytes: ["memory of an open watch, KB", (value) => show(value / 1e3)],
  comparedMicroseconds: ["to compare a change with a watch that does not want it, µs", show],
  sentMicroseconds: ["to send a change to a watch, µs", show],
  resultBytes: ["a result, bytes of JSON", show],
  taskBytes: ["a task with its status, bytes of JSON", show],
  writesPerPod: ["writes of results to replace a pod", show],
};

export function costTable(costs: Costs): string {
  const keys = Object.keys(costRows) as (keyof Costs)[];
  return table(
    ["cost", "value"],
    keys.map((key) => [costRows[key][0], costRows[key][1](costs[key])]),
  );
}
