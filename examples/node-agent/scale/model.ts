/**
 * The load of a fleet by arithmetic. `docs/scaling.md` explains the formulas.
 *
 * @module
 */
import { watchSeconds } from "../src/api/informer.js";
import { collectMs } from "../src/controller/controller.js";
import { leaseSeconds } from "../src/heartbeat.js";

/** Each agent renews its lease three times in its duration. */
const renewSeconds = leaseSeconds / 3;
/** A watch lasts at least `watchSeconds`, and at most twice as long. */
const meanWatchSeconds = 1.5 * watchSeconds;
/** The controller watches tasks, results and leases. */
const controllerWatches = 3;
/** The controller reads and replaces its own lease. */
const electionPerSecond = 2 / 3;

export interface Fleet {
  nodes: number;
  tasks: number;
}

/** What one thing costs, as measured. Processor times are those of the API server and etcd. */
export interface Costs {
  /** To read one object from etcd for a list, and drop it or not. */
  listedMicroseconds: number;
  /** The same from the watch cache. */
  cachedMicroseconds: number;
  /** To open a watch on a new connection. */
  watchMilliseconds: number;
  /** Memory of an open watch. */
  watchBytes: number;
  /** To compare one change with the selector of one watch that does not want it. */
  comparedMicroseconds: number;
  /** To send one change to one watch. */
  sentMicroseconds: number;
  /** A result and a task with its status, in JSON. */
  resultBytes: number;
  taskBytes: number;
  /** Writes of results, by all, to bring one pod of a new template to Ready. Events are not counted. */
  writesPerPod: number;
}

export interface Load {
  watches: number;
  watchMemoryBytes: number;
  /** While nothing changes: leases, watches that are renewed, and the lease of the controller. */
  requestsPerSecondAtRest: number;
  watchCpuAtRest: number;
  results: number;
  resultBytes: number;
  /** Objects that are read when all agents start, and the processor time of it. */
  listedAtStart: number;
  listCpuSeconds: number;
  cachedCpuSeconds: number;
  /** One template is rolled out to all nodes. */
  writes: number;
  compared: number;
  comparedCpuSeconds: number;
  /** While it is: the status of the task goes to all agents. */
  statusBytesPerSecond: number;
  statusCpu: number;
}

export function loadOf({ nodes, tasks }: Fleet, costs: Costs): Load {
  const watches = 2 * nodes + controllerWatches;
  const results = nodes * tasks;
  const listedAtStart = nodes * (results + tasks);
  const writes = nodes * costs.writesPerPod;
  const compared = writes * (nodes + 1);
  const statusPerSecond = 1_000 / collectMs(nodes);
  return {
    watches,
    watchMemoryBytes: watches * costs.watchBytes,
    requestsPerSecondAtRest: nodes / renewSeconds + watches / meanWatchSeconds + electionPerSecond,
    watchCpuAtRest: ((watches / meanWatchSeconds) * costs.watchMilliseconds) / 1e3,
    results,
    resultBytes: results * costs.resultBytes,
    listedAtStart,
    listCpuSeconds: (listedAtStart * costs.listedMicroseconds) / 1e6,
    cachedCpuSeconds: (listedAtStart * costs.cachedMicroseconds) / 1e6,
    writes,
    compared,
    comparedCpuSeconds: (compared * costs.comparedMicroseconds) / 1e6,
    statusBytesPerSecond: statusPerSecond * nodes * costs.taskBytes,
    statusCpu: (statusPerSecond * nodes * costs.sentMicroseconds) / 1e6,
  };
}
