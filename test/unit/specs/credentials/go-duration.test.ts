import { expect, test } from "vitest";
import { parseGoDuration } from "../../../../src/specs/credentials/go-duration.js";

test.each([
  ["0", 0],
  ["0s", 0],
  ["12h", 43_200_000],
  ["1h30m", 5_400_000],
  ["1m0.5s", 60_500],
  [".5s", 500],
  ["1.s", 1_000],
  ["250ms", 250],
  ["3us", 0.003],
  ["3µs", 0.003],
  ["2ns", 0.000002],
  ["+1s", 1_000],
  ["-1s", -1_000],
])("%s is %d ms", (text, expected) => {
  expect(parseGoDuration(text)).toBeCloseTo(expected, 9);
});

test.each(["", "1", "1 h", "h", ".s", "1d", "1h-1m", "1e3s", "-", "1s\n", `${"9".repeat(400)}h`])(
  "%j is no duration",
  (text) => {
    expect(parseGoDuration(text)).toBeUndefined();
  },
);
