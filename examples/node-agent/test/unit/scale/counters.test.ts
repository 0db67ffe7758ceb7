import { expect, test } from "vitest";
import { type Counters, changeOf } from "../../../scale/counters.js";

const usage = (cpuSeconds: number) => ({ cpuSeconds, memoryBytes: 10 * cpuSeconds, readBytes: 0, writtenBytes: 0 });

const pids = { "API server": "1", etcd: "2", controller: "3", agent: "4", workers: "5,6" };

function counters(at: number, count: number, changes: Partial<Counters> = {}): Counters {
  const used = usage(count);
  return {
    at,
    requests: { "GET leases": count, "LIST nodetasks": 1 },
    errors: { "404": 1 },
    ...{ openWatches: 4, watchEvents: count, watchEventBytes: count, databaseBytes: 100 - count },
    ...{ receivedBytes: 10 * count, sentBytes: 20 * count, fromEtcdBytes: 3 * count, toEtcdBytes: 4 * count },
    pids,
    usage: { "API server": used, etcd: used, controller: used, agent: used, workers: used },
    ...changes,
  };
}

test("subtracts the counters before, and leaves out what did not change", () => {
  const change = changeOf(counters(1_000, 2), counters(3_500, 5));
  expect(change).toMatchObject({ seconds: 2.5, requests: { "GET leases": 3 }, errors: {}, watchEvents: 3 });
  expect(change).toMatchObject({ cpuSeconds: { etcd: 3 }, databaseBytes: -3 });
});

test("counts the bytes of clients without those of etcd", () => {
  expect(changeOf(counters(0, 2), counters(1_000, 5))).toMatchObject({ receivedBytes: 21, sentBytes: 48 });
});

test("takes the counters of an API server that was started again as they are", () => {
  const change = changeOf(
    counters(0, 9),
    counters(1_000, 5, { pids: { ...pids, "API server": "9" }, fromEtcdBytes: 30, toEtcdBytes: 40 }),
  );
  expect(change).toMatchObject({ requests: { "GET leases": 5, "LIST nodetasks": 1 }, errors: { "404": 1 } });
  expect(change.receivedBytes).toBe(50 - (30 - 27));
  expect(change.cpuSeconds).toMatchObject({ "API server": 5, etcd: -4 });
});
