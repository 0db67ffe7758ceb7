import { expect, test } from "vitest";
import type { CriClient } from "../../src/index.js";
import { rejection, startFake } from "./support.js";

/** An own key, as `JSON.parse` creates it. An assignment would set the prototype and leave the filter empty. */
const labels: Record<string, string> = JSON.parse('{"__proto__":"mine"}');

test.each<[string, (cri: CriClient) => Promise<unknown>]>([
  ["pods.list", (cri) => cri.pods.list({ labels })],
  ["containers.list", (cri) => cri.containers.list({ labels })],
  ["stats.containers", (cri) => cri.stats.containers({ labels })],
  ["stats.pods", (cri) => cri.stats.pods({ labels })],
  ["stats.snapshot", (cri) => cri.stats.snapshot({ labels })],
  ["stats.watch", async (cri) => cri.stats.watch({ labels })],
  ["events", async (cri) => cri.events({ labels })],
  ["watch", async (cri) => cri.watch({ labels })],
  ["logs of pods", async (cri) => cri.logs({ podLabels: labels })],
  ["logs of containers", async (cri) => cri.logs({ labels })],
])("%s rejects a label that cannot be encoded, instead of selecting everything", async (_name, call) => {
  const { cri, runtime } = await startFake();
  await cri.pods.run({ name: "p" });
  const before = runtime.calls.length;
  expect(await rejection((async () => call(cri))())).toMatchObject({
    code: "INVALID_INPUT",
    message: expect.stringMatching(/(?:l|podL)abels.__proto__: this key cannot be sent/),
  });
  expect(runtime.calls.length).toBe(before);
});

test("rejects a label value that is not a string before the call is encoded", async () => {
  const { cri } = await startFake();
  const wrong = { labels: { app: 1 } } as never;
  for (const call of [() => cri.pods.list(wrong), () => cri.containers.list(wrong), () => cri.stats.pods(wrong)]) {
    expect(await rejection(call())).toMatchObject({ code: "INVALID_INPUT", field: "filter.labels.app" });
  }
});

test("refuses a mistyped filter of events and views before any I/O", async () => {
  const { cri, runtime } = await startFake();
  const mistakes: readonly (readonly [field: string, filter: object])[] = [
    ["lables", { lables: { app: "web" } }],
    ["podLabels", { podLabels: { app: "web" } }],
    ["options", ["web"]],
    ["labels", { labels: "app=web" }],
    ["labels.app", { labels: { app: 1 } }],
    ["namespace", { namespace: "" }],
    ["pod", { pod: "" }],
    ["pod", { pod: cri.containers.get("c1") }],
  ];
  for (const [field, filter] of mistakes) {
    for (const open of [() => cri.events(filter), () => cri.watch(filter)]) {
      expect(open).toThrow(expect.objectContaining({ code: "INVALID_INPUT", field }));
    }
  }
  expect(runtime.calls).toEqual([]);
});

test("restart() rejects if the runtime reports an environment with replaced bytes", async () => {
  const { cri, runtime } = await startFake();
  const pod = await cri.pods.run({ name: "p" });
  const env = (value: Uint8Array) => ({
    name: "c",
    image: "busybox:1",
    patch: (config: { envs: { key: string; value: Uint8Array }[] }) => void config.envs.push({ key: "KEY", value }),
  });
  const { id } = await pod.runContainer(env(Uint8Array.of(0xff, 0xfe, 0x41)));
  expect(await rejection(cri.containers.get(id).restart())).toMatchObject({
    code: "INVALID_INPUT",
    field: "options.config",
    message: expect.stringContaining("variable KEY"),
  });
  expect(runtime.callsOf("StopContainer")).toEqual([]);
});
