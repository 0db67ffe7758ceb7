import { describe, expect, onTestFinished, test, vi } from "vitest";
import { deadlineIn, toDate, toNanoseconds, toRfc3339Nano } from "../../../src/internal/time.js";
import { Long } from "../../../src/proto.js";

describe("a deadline after a delay", () => {
  test.each([3_600_000, -3_600_000])("does not move when the system clock is set by %d ms", (stepMs) => {
    const realNow = Date.now;
    const deadline = deadlineIn(60_000);
    const clock = vi.spyOn(Date, "now").mockImplementation(() => realNow() + stepMs);
    onTestFinished(() => clock.mockRestore());
    const leftMs = deadline.getTime() - Date.now();
    expect(leftMs).toBeLessThanOrEqual(60_000);
    expect(leftMs).toBeGreaterThan(30_000);
  });
});

describe("times in nanoseconds", () => {
  const moment = Long.fromString("1795413933123456789");

  test("become a Date, rounded down to milliseconds", () => {
    expect(toDate(moment)?.getTime()).toBe(1_795_413_933_123);
  });

  test("keep every digit in RFC 3339", () => {
    expect(toRfc3339Nano(moment)).toBe("2026-11-23T06:05:33.123456789Z");
    expect(toRfc3339Nano(Long.fromString("1795413933000000001"))).toBe("2026-11-23T06:05:33.000000001Z");
  });

  test.each([0, -1, "-6795364578871345152"])("%s is not a time", (value) => {
    expect(toDate(Long.fromValue(value))).toBeUndefined();
    expect(toRfc3339Nano(Long.fromValue(value))).toBeUndefined();
  });

  test("are converted from a Date", () => {
    const date = new Date("2026-11-23T06:05:33.123Z");
    expect(toNanoseconds(date).toString()).toBe("1795413933123000000");
    expect(toDate(toNanoseconds(date))).toEqual(date);
  });
});
