import { expect, test } from "vitest";
import { type Costs, loadOf } from "../../../scale/model.js";

const costs: Costs = {
  ...{ listedMicroseconds: 100, cachedMicroseconds: 1, watchMilliseconds: 2, watchBytes: 1_000 },
  ...{ comparedMicroseconds: 3, sentMicroseconds: 10, resultBytes: 2_000, taskBytes: 500, writesPerPod: 4 },
};
const small = loadOf({ nodes: 100, tasks: 5 }, costs);
const large = loadOf({ nodes: 1_000, tasks: 5 }, costs);

test("each agent has two watches, and the controller has three", () => {
  expect(small).toMatchObject({ watches: 203, watchMemoryBytes: 203_000 });
});

test("at rest there are leases and watches only", () => {
  // Each agent renews its lease every 20 s, and each of its watches after 300 to 600 s.
  expect(small.requestsPerSecondAtRest).toBeCloseTo(100 / 20 + 203 / 450 + 2 / 3);
  expect(large.requestsPerSecondAtRest - small.requestsPerSecondAtRest).toBeCloseTo(900 / 20 + 1_800 / 450);
});

test("there is a result for each task and node", () => {
  expect(small).toMatchObject({ results: 500, resultBytes: 1_000_000 });
});

test("what grows with the square of the nodes is shown as such", () => {
  expect(large.results / small.results).toBe(10);
  expect(large.listedAtStart / small.listedAtStart).toBeCloseTo(100, -1);
  expect(large.compared / small.compared).toBeCloseTo(100, -1);
});

test("large fleets get fewer statuses, so that their bytes do not grow", () => {
  expect(large.statusBytesPerSecond / small.statusBytesPerSecond).toBe(5);
  const larger = loadOf({ nodes: 10_000, tasks: 5 }, costs);
  expect(larger.statusBytesPerSecond).toBe(large.statusBytesPerSecond);
});

test("processor times are the costs times the counts", () => {
  expect(small.listCpuSeconds).toBeCloseTo(small.listedAtStart * 100e-6);
  expect(small.cachedCpuSeconds).toBeCloseTo(small.listedAtStart * 1e-6);
  expect(small.comparedCpuSeconds).toBeCloseTo(400 * 101 * 3e-6);
  expect(small.statusCpu).toBeCloseTo(2 * 100 * 10e-6);
});
