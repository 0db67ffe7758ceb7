import { describe, expect, test } from "vitest";
import { chartTable } from "../../bench/support/chart.js";
import { curvesTable } from "../../bench/support/curves.js";
import { barOf, plot, scaleOf } from "../../bench/support/plot.js";
import { roundUp } from "../../bench/support/plot-curves.js";
import { median, quantile, show } from "../../bench/support/statistics.js";

describe("figures", () => {
  test.each([
    ["an odd number", [3, 1, 2], 2],
    ["an even number", [4, 1, 2, 3], 2.5],
    ["no values", [], Number.NaN],
  ])("the median of %s", (_, values, expected) => expect(median(values)).toBe(expected));

  test("quantiles are values of the sample", () => {
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect([0.5, 0.99, 1].map((part) => quantile(hundred, part))).toEqual([50, 99, 100]);
    expect(quantile([7, 5, 6], 0.99)).toBe(7);
    expect(quantile([5, 6], 0)).toBe(5);
    expect(quantile([], 0.99)).toBeNaN();
  });

  test.each([
    [0.01234, "0.012"],
    [0.9999, "1.00"],
    [9.996, "10.0"],
    [12.34, "12.3"],
    [99.96, "100"],
    [1234.5, "1235"],
    [Number.NaN, "–"],
  ])("%d is shown as %s", (value, expected) => expect(show(value)).toBe(expected));
});

describe("bars", () => {
  test("the longest bar fills the width", () => {
    expect(scaleOf([3, 1, 2])).toBe(3);
    expect(barOf(1.5, 3)).toEqual({ part: 0.5, cut: false });
  });

  test("cuts off a bar that is far longer than the others", () => {
    const scale = scaleOf([1, 2, 100, 3]);
    expect(scale).toBeLessThan(5);
    expect(scale).toBeGreaterThan(3);
    expect(barOf(100, scale)).toEqual({ part: 1, cut: true });
  });

  test("does not cut off bars because of a tiny one", () => {
    expect(scaleOf([0.001, 5, 6])).toBe(6);
  });

  test("a single bar fills the width", () => {
    expect(scaleOf([5])).toBe(5);
    expect(barOf(0, 0)).toEqual({ part: 0, cut: false });
  });
});

describe("a chart", () => {
  const chart = {
    name: "calls & more",
    unit: "ms",
    columns: ["p50", "p99"] as [string, string],
    bars: [
      { name: "ours", role: "ours" as const, figures: [2, 4] as [number, number] },
      { name: "<other>", role: "peer" as const, figures: [3, 9] as [number, number] },
      { name: "wire", role: "baseline" as const, figures: [1, 1] as [number, number] },
    ],
  };

  test("never cuts off a bar of this package", () => {
    const [ours, peer] = chart.bars;
    const bars = [{ ...ours!, figures: [100, 100] as [number, number] }, peer!];
    expect(plot("title", [{ ...chart, bars }])).not.toContain('class="cut"');
    const swapped = [ours!, { ...peer!, figures: [100, 100] as [number, number] }];
    expect(plot("title", [{ ...chart, bars: swapped }])).toContain('class="cut"');
  });

  test("has the ratio to this package in its table", () => {
    const cells = chartTable(chart)
      .split("\n")
      .slice(2)
      .map((line) =>
        line
          .split("|")
          .slice(1, -1)
          .map((cell) => cell.trim()),
      );
    expect(cells).toEqual([
      ["ours", "2.00", "4.00", "1.00"],
      ["<other>", "3.00", "9.00", "1.50"],
      ["wire (baseline)", "1.00", "1.00", "0.500"],
    ]);
  });

  test("has proportional bars and escaped names in its picture", () => {
    const svg = plot("Calls", [chart]);
    const length = (role: string) => Number(new RegExp(`<rect class="${role}"[^>]* width="([\\d.]+)"`).exec(svg)?.[1]);
    expect(length("peer") / length("baseline")).toBeCloseTo(3);
    expect(length("ours") / length("baseline")).toBeCloseTo(2);
    expect(svg).toContain("&lt;other&gt;</text>");
    expect(svg).toContain("calls &amp; more");
    expect(svg).toContain("3.00 ms · 1.50×");
  });
});

describe("a diagram", () => {
  const diagram = {
    name: "memory & more",
    unit: "MB",
    x: "pods",
    isLogarithmic: true,
    curves: [
      {
        name: "events",
        points: [
          [10, 70],
          [100, 80],
          [1000, 130],
        ] as [number, number][],
      },
      {
        name: "<logs>",
        points: [
          [1, 60],
          [100, 75],
        ] as [number, number][],
      },
    ],
  };

  test("has a row for each x in its table", () => {
    const rows = curvesTable(diagram).split("\n").slice(2);
    expect(
      rows.map((row) =>
        row
          .split("|")
          .slice(1, -1)
          .map((cell) => cell.trim()),
      ),
    ).toEqual([
      ["1", "–", "60.0"],
      ["10", "70.0", "–"],
      ["100", "80.0", "75.0"],
      ["1000", "130", "–"],
    ]);
  });

  test("puts each step of a logarithmic axis at the same distance, and the highest value below a round number", () => {
    const picture = plot("title", [], [diagram]);
    const [, points = ""] = /class="curve-0" d="M([^"]+)"/.exec(picture) ?? [];
    const [first = [], second = [], third = []] = points.split("L").map((point) => point.split(" ").map(Number));
    expect((second[0] ?? 0) - (first[0] ?? 0)).toBeCloseTo((third[0] ?? 0) - (second[0] ?? 0), 0);
    expect(first[1]).toBeGreaterThan(third[1] ?? Number.NaN);
    expect(picture).toContain(">200<");
    expect(picture).toContain("&lt;logs&gt;");
  });

  test.each([
    [0, 1],
    [0.3, 0.5],
    [1, 1],
    [130, 200],
    [501, 1000],
  ])("%d is below the round number %d", (value, expected) => expect(roundUp(value)).toBeCloseTo(expected));
});
