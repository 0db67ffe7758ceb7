import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CpuUsage, Long } from "../../../../src/proto.js";
import { cpuCores, growthPerNanosecond } from "../../../../src/resources/usage/rates.js";

const second = 1_000_000_000n;
const now = 1_795_427_472_989_698_644n;

const cpu = (at: bigint, used: bigint | undefined) =>
  CpuUsage.fromPartial({
    timestamp: Long.fromString(`${at}`),
    ...(used !== undefined && { usageCoreNanoSeconds: { value: Long.fromString(`${used}`, true) } }),
  });

describe("cpuCores", () => {
  test("is CPU time divided by elapsed time", () => {
    expect(cpuCores(cpu(now, 5n * second), cpu(now + 2n * second, 6n * second))).toBe(0.5);
    expect(cpuCores(cpu(now, 0n), cpu(now + second, 3n * second))).toBe(3);
    expect(cpuCores(cpu(now, 7n), cpu(now + second, 7n))).toBe(0);
  });

  test("is exact for counters that a double cannot hold", () => {
    const used = 2n ** 53n + 1n;
    expect(cpuCores(cpu(now, used), cpu(now + 2n, used + 1n))).toBe(0.5);
    expect(cpuCores(cpu(now, 2n ** 63n - 1n), cpu(now + 4n, 2n ** 63n + 1n))).toBe(0.5);
    expect(cpuCores(cpu(now, 2n ** 64n - 2n), cpu(now + 1n, 2n ** 64n - 1n))).toBe(1);
  });

  test.each([
    ["the counter went back", cpu(now, 5n), cpu(now + second, 4n)],
    ["no time has passed", cpu(now, 5n), cpu(now, 6n)],
    ["the clock went back", cpu(now, 5n), cpu(now - 1n, 6n)],
    ["the first has no timestamp", cpu(0n, 5n), cpu(now, 6n)],
    ["the second has no timestamp", cpu(now, 5n), cpu(0n, 6n)],
    ["neither has one", cpu(0n, 5n), cpu(0n, 6n)],
    ["the first has a time in the year 1", cpu(-6_795_364_578_871_345_152n, 5n), cpu(now, 6n)],
    ["the first has no counter", cpu(now, undefined), cpu(now + second, 6n)],
    ["the second has no counter", cpu(now, 5n), cpu(now + second, undefined)],
    ["there is no first", undefined, cpu(now, 6n)],
    ["there is no second", cpu(now, 5n), undefined],
  ])("is undefined when %s", (_, previous, current) => {
    expect(cpuCores(previous, current)).toBeUndefined();
  });

  test("reads signed and unsigned Longs as the same number", () => {
    const signed = (value: bigint) => ({
      timestamp: Long.ONE,
      usageCoreNanoSeconds: { value: Long.fromString(`${value}`) },
    });
    const after = { ...cpu(2n, 12n) };
    expect(cpuCores(signed(10n), after)).toBe(2);
  });

  test("agrees with BigInt arithmetic", () => {
    const uint64 = fc.bigInt(0n, 2n ** 64n - 1n);
    const time = fc.bigInt(1n, 2n ** 63n - 1n);
    fc.assert(
      fc.property(uint64, uint64, time, time, (from, to, start, end) => {
        const expected = to < from || end <= start ? undefined : Number(to - from) / Number(end - start);
        expect(cpuCores(cpu(start, from), cpu(end, to))).toBe(expected);
      }),
    );
  });
});

test("growthPerNanosecond computes the rate of any counter", () => {
  const reading = (at: number, counter: number) => ({
    at: Long.fromNumber(at),
    counter: Long.fromNumber(counter, true),
  });
  expect(growthPerNanosecond(reading(1, 0), reading(1_000_000_001, 500))! * 1e9).toBe(500);
});
