import { describe, expect, test } from "vitest";
import {
  CpuUsage,
  FilesystemUsage,
  IoUsage,
  Long,
  MemoryUsage,
  NetworkUsage,
  SwapUsage,
} from "../../../../src/proto.js";
import {
  cpuFigures,
  filesystemFigures,
  ioPressure,
  memoryFigures,
  swapFigures,
} from "../../../../src/resources/usage/figures.js";
import { networkFigures, networkReading } from "../../../../src/resources/usage/network.js";

const wrapped = (value: number | string) => ({ value: Long.fromValue(`${value}`).toUnsigned() });
const memory = (workingSet: number, available: string | number | undefined) =>
  memoryFigures(
    MemoryUsage.fromPartial({
      workingSetBytes: wrapped(workingSet),
      ...(available !== undefined && { availableBytes: wrapped(available) }),
    }),
  );

describe("values that the runtime does not report", () => {
  test("missing messages are undefined", () => {
    expect(cpuFigures({ previous: undefined, latest: undefined })).toBeUndefined();
    expect(memoryFigures(undefined)).toBeUndefined();
    expect(swapFigures(undefined)).toBeUndefined();
    expect(filesystemFigures(undefined)).toBeUndefined();
    expect(ioPressure(undefined)).toBeUndefined();
    expect(networkFigures({ previous: undefined, latest: networkReading(undefined, undefined) })).toBeUndefined();
  });

  test("missing numbers are undefined, and a reported zero stays zero", () => {
    const nothing = { cores: undefined, percent: undefined, pressure: undefined };
    expect(cpuFigures({ previous: undefined, latest: CpuUsage.fromPartial({}) })).toEqual(nothing);
    expect(memoryFigures(MemoryUsage.fromPartial({ rssBytes: {} }))).toEqual({
      workingSetBytes: undefined,
      usageBytes: undefined,
      rssBytes: 0,
      limitBytes: undefined,
      pageFaults: undefined,
      majorPageFaults: undefined,
      pressure: undefined,
    });
    expect(swapFigures(SwapUsage.fromPartial({ swapUsageBytes: {} }))).toEqual({
      usedBytes: 0,
      availableBytes: undefined,
    });
    expect(filesystemFigures(FilesystemUsage.fromPartial({ inodesUsed: {} }))).toEqual({
      mountpoint: undefined,
      usedBytes: undefined,
      inodesUsed: 0,
    });
  });
});

describe("the memory limit", () => {
  test("is the sum of the working set and the available bytes", () => {
    expect(memory(1_000, 66_000)?.limitBytes).toBe(67_000);
  });

  test("is undefined for every encoding of no limit", () => {
    expect(memory(1_000, undefined)?.limitBytes).toBeUndefined();
    expect(memory(1_000, 0)?.limitBytes).toBeUndefined();
    expect(memory(4_096, "9223372036854767616")?.limitBytes).toBeUndefined();
    expect(memory(1, "-1")?.limitBytes).toBeUndefined();
  });
});

test("reports pressure as the runtime sent it", () => {
  const io = IoUsage.fromPartial({
    psi: { Some: { Total: Long.fromNumber(12, true), Avg10: 1.5, Avg60: 0.5, Avg300: 0.25 } },
  });
  expect(ioPressure(io)).toEqual({
    some: { avg10: 1.5, avg60: 0.5, avg300: 0.25, total: Long.fromNumber(12, true) },
    full: undefined,
  });
});

describe("the network", () => {
  const network = (at: number, bytes: number, others: string[] = []) =>
    NetworkUsage.fromPartial({
      timestamp: at,
      defaultInterface: { name: "eth0", rxBytes: wrapped(bytes), txBytes: wrapped(2 * bytes), rxErrors: {} },
      interfaces: others.map((name) => ({ name, rxBytes: wrapped(bytes) })),
    });
  const second = 1_000_000_000;

  test("reports rates of each interface once, the default one first", () => {
    const latest = networkReading(network(3 * second, 5_000, ["net1", "eth0"]), undefined);
    const previous = networkReading(network(second, 1_000, ["net1"]), undefined);
    const figures = networkFigures({ previous, latest });
    expect(figures?.map(({ name }) => name)).toEqual(["eth0", "net1"]);
    expect(figures?.[1]).toEqual({
      name: "net1",
      rxBytesPerSecond: 2_000,
      txBytesPerSecond: undefined,
      rxBytes: 5_000,
      txBytes: undefined,
      rxErrors: undefined,
      txErrors: undefined,
    });
  });

  test("uses the timestamp of another measurement in the same reply if it has none, as from containerd", () => {
    const at = (time: number) => ({ timestamp: Long.fromNumber(time) });
    const previous = networkReading(network(0, 0), at(second));
    const latest = networkReading(network(0, 300), at(4 * second));
    expect(networkFigures({ previous, latest })?.[0]).toMatchObject({ rxBytesPerSecond: 100, txBytesPerSecond: 200 });
    const untimed = networkReading(network(0, 300), undefined);
    expect(networkFigures({ previous, latest: untimed })?.[0]?.rxBytesPerSecond).toBeUndefined();
  });

  test("reports no rate for an interface that is new or was recreated", () => {
    const previous = networkReading(network(second, 1_000), undefined);
    const latest = networkReading(network(2 * second, 500, ["net1"]), undefined);
    expect(networkFigures({ previous, latest })?.map(({ rxBytesPerSecond }) => rxBytesPerSecond)).toEqual([
      undefined,
      undefined,
    ]);
  });
});
