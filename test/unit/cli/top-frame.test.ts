/** A frame of top fits the terminal, and shows why a measurement failed. */
import { expect, test } from "vitest";
import { sorted } from "../../../src/cli/commands/usage/columns.js";
import { frame } from "../../../src/cli/commands/usage/top-frame.js";
import type { ContainerUsage, UsageSnapshot } from "../../../src/index.js";

const container = (name: string, percent: number | undefined, podName: string): ContainerUsage =>
  ({
    ...{ id: `id-of-${name}`, name, attempt: 0, labels: {}, image: undefined },
    pod: { id: podName, name: podName, namespace: "shop", uid: "", attempt: 0, labels: {} },
    cpu: { percent, cores: percent === undefined ? undefined : percent / 100, pressure: undefined },
  }) as unknown as ContainerUsage;

const containers = [container("idle", 1, "x"), container("new", undefined, "x"), container("busy", 250, "y")];
const latest = { at: new Date(), containers, pods: [], podStatsError: undefined } as UsageSnapshot;
const styles = (_: unknown, text: string) => text;

test("has a summary, a heading, and the busiest containers first", () => {
  const content = { latest, failure: undefined, order: "cpu", containers: sorted(containers, "cpu") } as const;
  const [summary, notice, heading, ...lines] = frame(content, { columns: 120, rows: 10, styles });
  expect(summary).toMatch(/3 containers in 2 pods, 2\.51 cores, .*sorted by cpu/);
  expect(notice).toBe("");
  expect(heading).toMatch(/^CONTAINER +NAME +CPU % .* POD +$/);
  expect(lines.map((line) => line.split(/ {2,}/).slice(1, 3))).toEqual([
    ["busy", "250.0"],
    ["idle", "1.0"],
    ["new", "-"],
  ]);
});

test("fits a small terminal, and shows a failure without control characters", () => {
  const content = { latest, failure: "down\x1b[2J", order: "name", containers: sorted(containers, "name") } as const;
  const lines = frame(content, { columns: 20, rows: 4, styles });
  expect(lines).toHaveLength(4);
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(20);
  expect(lines[1]).toBe("down\ufffd[2J");
  const waiting = { ...content, latest: undefined };
  expect(frame(waiting, { columns: 20, rows: 4, styles })).toEqual(["down\ufffd[2J"]);
});
