import { describe, expect, test } from "vitest";
import type { PodStatus } from "../../../src/kubernetes/index.js";
import { startPod } from "./support.js";

const main = { name: "main", image: "busybox:1" };
const limit = { timeoutMs: 20_000 };
const short = ({ phase, conditions }: PodStatus) => `${phase}${conditions.Ready ? " ready" : ""}`;

async function read(statuses: AsyncIterable<PodStatus>): Promise<string[]> {
  const all: string[] = [];
  for await (const status of statuses) if (all.at(-1) !== short(status)) all.push(short(status));
  return all;
}

describe("the statuses of a pod", () => {
  test("are streamed until its end, the last one included", async () => {
    let exit = (_code: number) => {};
    const program = () => new Promise<number>((resolve) => (exit = resolve));
    const { pod } = await startPod(
      { restartPolicy: "Never", containers: [main] },
      { fake: { run: () => ({ program }) } },
    );
    const reading = read(pod.statuses());
    await pod.waitReady(limit);
    exit(3);
    expect((await reading).slice(-2)).toEqual(["Running ready", "Failed"]);
    expect(await read(pod.statuses())).toEqual(["Failed"]);
  });

  test.each(["release", "stop", "dispose"] as const)("end with %s()", async (method) => {
    const { pod } = await startPod({ containers: [main] });
    const reading = read(pod.statuses());
    await pod.waitReady(limit);
    await pod[method]();
    expect(await reading).toContain("Running ready");
  });

  test("do not repeat one that has not changed, and wait for the reader", async () => {
    const { pod } = await startPod({ containers: [main] });
    await pod.waitReady(limit);
    const statuses = pod.statuses()[Symbol.asyncIterator]();
    expect(await statuses.next()).toMatchObject({ value: { conditions: { Ready: true } } });
    const next = statuses.next();
    await pod.stop();
    expect(await next).toMatchObject({ value: { terminating: true } });
    await statuses.return?.();
  });

  test("end with a signal", async () => {
    const { pod } = await startPod({ containers: [main] });
    const stopping = new AbortController();
    const reading = read(pod.statuses({ signal: stopping.signal }));
    await pod.waitReady(limit);
    stopping.abort(new Error("enough"));
    await expect(reading).rejects.toThrow("enough");
    await expect(async () => pod.statuses({ singal: stopping.signal } as never)).rejects.toThrow(
      "singal: unknown option; did you mean signal?",
    );
  });
});
