import { request } from "node:https";
import { text } from "node:stream/consumers";
import type { KubeConfig } from "@kubernetes/client-node";
import type { ApiServer } from "../cluster/api-server.js";
import { findChild, nothing, type Usage, usageOf } from "./processes.js";
import { parseExposition, type Series, total } from "./prometheus-text.js";

/** The programs that are measured. The workers contain all agents but one, which has a process of its own. */
export type Measured = "API server" | "etcd" | "controller" | "agent" | "workers";

/** All counters at one time. */
export interface Counters {
  /** In milliseconds since the epoch. */
  at: number;
  /** Requests that the API server has answered, by verb and resource. A watch counts when it ends. */
  requests: Record<string, number>;
  /** Requests whose answer was an error, by HTTP status. */
  errors: Record<string, number>;
  openWatches: number;
  /** Events that were sent to all watches, and their bytes. */
  watchEvents: number;
  watchEventBytes: number;
  /** Bytes of the API server's sockets, without metrics for this program. TLS and HTTP are included. */
  receivedBytes: number;
  sentBytes: number;
  /** Bytes of etcd's sockets, which the API server receives or sends, too. */
  fromEtcdBytes: number;
  toEtcdBytes: number;
  databaseBytes: number;
  /** Which processes were counted. */
  pids: Record<Measured, string>;
  usage: Record<Measured, Usage>;
}

/** What was added to the counters in some time. */
export interface Change extends Pick<Counters, "requests" | "errors" | "watchEvents" | "watchEventBytes"> {
  seconds: number;
  /** Bytes between the API server and its clients. */
  receivedBytes: number;
  sentBytes: number;
  cpuSeconds: Record<Measured, number>;
  databaseBytes: number;
}

/** A program that was started again has counted from zero. */
export function changeOf(before: Counters, after: Counters): Change {
  const isSame = (program: Measured) => before.pids[program] === after.pids[program];
  const server = isSame("API server") ? before : undefined;
  const added = (name: "watchEvents" | "watchEventBytes" | "receivedBytes" | "sentBytes") =>
    after[name] - (server?.[name] ?? 0);
  const cpuSeconds = Object.entries(after.usage).map(([name, usage]) => {
    const program = name as Measured;
    return [program, usage.cpuSeconds - (isSame(program) ? before.usage[program].cpuSeconds : 0)];
  });
  return {
    seconds: (after.at - before.at) / 1_000,
    requests: differences(server?.requests ?? {}, after.requests),
    errors: differences(server?.errors ?? {}, after.errors),
    watchEvents: added("watchEvents"),
    watchEventBytes: added("watchEventBytes"),
    receivedBytes: added("receivedBytes") - (after.fromEtcdBytes - before.fromEtcdBytes),
    sentBytes: added("sentBytes") - (after.toEtcdBytes - before.toEtcdBytes),
    databaseBytes: after.databaseBytes - before.databaseBytes,
    cpuSeconds: Object.fromEntries(cpuSeconds) as Record<Measured, number>,
  };
}

/** Subtracts counts by their keys. What did not change is left out. */
export function differences(before: Record<string, number>, after: Record<string, number>): Record<string, number> {
  const pairs = Object.entries(after).map(([key, value]) => [key, value - (before[key] ?? 0)] as const);
  return Object.fromEntries(pairs.filter(([, value]) => value !== 0));
}

/** Reads the counters of the API server, of etcd, and of the kernel. */
export class Meter {
  /** The bytes of the metrics that were read, which are no work of agents, by the process that sent them. */
  readonly #metricsBytes = new Map<number, number>();

  /** @param pids returns the processes of the agents and of the controller. Those of the API server are found. */
  constructor(
    private readonly server: ApiServer,
    private readonly admin: KubeConfig,
    private readonly pids: () => Record<"controller" | "agent" | "workers", readonly number[]>,
  ) {}

  async read(): Promise<Counters> {
    const { pid, command } = childWith(/^--etcd-servers=/);
    const etcdUrl = command.find((word) => word.startsWith("--etcd-servers="))?.split("=")[1];
    const [api, etcd] = await Promise.all([this.#apiServerMetrics(pid), metricsOfEtcd(`${etcdUrl}/metrics`)]);
    const pids = { "API server": [pid], etcd: [childWith(/^--listen-client-urls=/).pid], ...this.pids() };
    const ofEach = <T>(get: (pids: readonly number[]) => T) =>
      Object.fromEntries(Object.entries(pids).map(([name, some]) => [name, get(some)])) as Record<Measured, T>;
    const usage = ofEach((some) => some.map(usageOf).reduce(sumOf, nothing));
    const { readBytes, writtenBytes } = usage["API server"];
    return {
      at: Date.now(),
      ...requestsOf(api),
      openWatches:
        total(api, "apiserver_longrunning_requests", { verb: "WATCH" }) +
        total(api, "apiserver_longrunning_gauge", { verb: "WATCH" }),
      watchEvents: total(api, "apiserver_watch_events_total"),
      watchEventBytes: total(api, "apiserver_watch_events_sizes_sum"),
      receivedBytes: readBytes,
      sentBytes: writtenBytes - (this.#metricsBytes.get(pid) ?? 0),
      fromEtcdBytes: total(etcd, "etcd_network_client_grpc_sent_bytes_total"),
      toEtcdBytes: total(etcd, "etcd_network_client_grpc_received_bytes_total"),
      databaseBytes: total(etcd, "etcd_mvcc_db_total_size_in_use_in_bytes"),
      pids: ofEach((some) => some.join()),
      usage,
    };
  }

  async #apiServerMetrics(pid: number): Promise<Series[]> {
    const options = { timeout: 10_000 };
    await this.admin.applyToHTTPSOptions(options);
    const sent = request(`${this.server.url}/metrics`, options);
    const answered = new Promise<string>((resolve, reject) => {
      sent.on("response", (response) => text(response).then(resolve, reject)).on("error", reject);
      sent.on("timeout", () => sent.destroy(new Error("the API server has sent no metrics for 10 s")));
    });
    sent.end();
    const metrics = await answered;
    this.#metricsBytes.set(pid, (this.#metricsBytes.get(pid) ?? 0) + Buffer.byteLength(metrics));
    return parseExposition(metrics);
  }
}

async function metricsOfEtcd(url: string): Promise<Series[]> {
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  return parseExposition(await response.text());
}

function childWith(word: RegExp): { pid: number; command: string[] } {
  const found = findChild(word);
  if (found === undefined) throw new Error(`this process has no child with an argument like ${word}`);
  return found;
}

function sumOf(a: Usage, b: Usage): Usage {
  return {
    cpuSeconds: a.cpuSeconds + b.cpuSeconds,
    memoryBytes: a.memoryBytes + b.memoryBytes,
    readBytes: a.readBytes + b.readBytes,
    writtenBytes: a.writtenBytes + b.writtenBytes,
  };
}

/** Only the resources of the agent and the controller: the server also writes leases and events of its own. */
const resources = ["nodetasks", "nodetaskresults", "leases", "events"];

function requestsOf(series: readonly Series[]): Pick<Counters, "requests" | "errors"> {
  const requests: Record<string, number> = {};
  const errors: Record<string, number> = {};
  for (const { name, labels, value } of series) {
    const { verb = "", resource = "", subresource, code = "" } = labels;
    if (name !== "apiserver_request_total" || !resources.includes(resource)) continue;
    const what = `${verb} ${resource}${subresource ? `/${subresource}` : ""}`;
    requests[what] = (requests[what] ?? 0) + value;
    if (Number(code) >= 400) errors[code] = (errors[code] ?? 0) + value;
  }
  return { requests, errors };
}
