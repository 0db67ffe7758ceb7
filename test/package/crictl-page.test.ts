/** Runs each call in the table of docs/crictl.md on a fake, and checks that it makes the RPCs of the command. */
import { readFileSync } from "node:fs";
import { CriClient, loadCrictlConfig } from "k8s-cri-client";
import { fromCrictlContainerConfig, fromCrictlPodConfig } from "k8s-cri-client/crictl";
import { FakeRuntime } from "k8s-cri-client/testing";
import { describe, expect, onTestFinished, test } from "vitest";

const page = readFileSync(new URL("../../docs/crictl.md", import.meta.url), "utf8");
const rows = [...page.matchAll(/^\| `([^`]+)` \| `([^`]+\))` \|$/gm)].map(([, command = "", call = ""]) => ({
  command,
  call,
}));

/** The commands of crictl, with the RPC that each one calls. */
const rpcs: Readonly<Record<string, string | undefined>> = {
  attach: "Attach",
  checkpoint: "CheckpointContainer",
  config: undefined,
  create: "CreateContainer",
  events: "GetContainerEvents",
  exec: "Exec",
  imagefsinfo: "ImageFsInfo",
  images: "ListImages",
  info: "Status",
  inspect: "ContainerStatus",
  inspecti: "ImageStatus",
  inspectp: "PodSandboxStatus",
  logs: "ContainerStatus",
  metricdescs: "ListMetricDescriptors",
  metricsp: "ListPodSandboxMetrics",
  pods: "ListPodSandbox",
  "port-forward": undefined,
  ps: "ListContainers",
  pull: "PullImage",
  rm: "RemoveContainer",
  rmi: "RemoveImage",
  rmp: "RemovePodSandbox",
  run: "StartContainer",
  runp: "RunPodSandbox",
  "runtime-config": "RuntimeConfig",
  start: "StartContainer",
  stats: "ListContainerStats",
  statsp: "ListPodSandboxStats",
  stop: "StopContainer",
  stopp: "StopPodSandbox",
  update: "UpdateContainerResources",
  "update-runtime-config": "UpdateRuntimeConfig",
  version: "Version",
};

/** RPCs of rows whose options change the RPC. */
const exceptions: Readonly<Record<string, string>> = {
  "exec --sync --timeout 5": "ExecSync",
  "logs --reopen": "ReopenContainerLog",
  "create --with-pull": "PullImage",
};

const commandOf = (row: string) => row.split(" ")[0] ?? "";

/** Rows whose calls end only when the client is closed. */
const endless: ReadonlySet<string> = new Set([
  "attach -it",
  "events",
  "exec -it",
  "logs -f --tail 10",
  "stats --watch",
]);

/** The streamed form of an RPC that returns a list. */
const streamed = (rpc: string) => rpc.replace(/^List/, "Stream").replace(/Sandbox$/, "Sandboxes");

/** Reads a stream, and closes whatever can be closed. */
async function use(result: unknown): Promise<void> {
  if (typeof result !== "object" || result === null) return;
  if (Symbol.asyncIterator in result) for await (const _ of result as AsyncIterable<unknown>);
  if ("close" in result) await (result as { close(): unknown }).close();
}

async function runRow(command: string, call: string, rpc: string | undefined): Promise<void> {
  const images = ["busybox:1", "unused:1"];
  const runtime = await FakeRuntime.start({ images, implemented: "all" });
  onTestFinished(() => runtime.stop());
  await using cri = await CriClient.connect({ endpoint: runtime.endpoint });
  const pod = await cri.pods.run({ name: "p", logDirectory: "/var/log/p", cgroupParent: "/p" });
  const container = await pod.createContainer({ name: "c", image: "busybox:1", tty: true, stdin: true });
  if (!call.endsWith(".start()")) await container.start();
  const context = {
    ...{ cri, pod, container, loadCrictlConfig, fromCrictlPodConfig, fromCrictlContainerConfig },
    image: "busybox:1",
    podFile: "metadata: { name: q, namespace: default }",
    containerFile: "metadata: { name: d }\nimage: { image: busybox:1 }",
  };
  const before = runtime.calls.length;
  const start = new Function(...Object.keys(context), `return ${call}`);
  const outcome = Promise.resolve(start(...Object.values(context))).then(use);
  if (endless.has(command)) outcome.catch(() => {});
  else await outcome;
  const made = () => runtime.calls.slice(before).map((made) => made.rpc);
  if (rpc !== undefined)
    await expect.poll(made).toEqual(expect.arrayContaining([expect.stringMatching(`^(${rpc}|${streamed(rpc)})$`)]));
}

describe("docs/crictl.md", () => {
  test.each(rows)("$command", async ({ command, call }) => {
    const name = commandOf(command);
    expect(Object.keys(rpcs)).toContain(name);
    await runRow(command, call, exceptions[command] ?? rpcs[name]);
  });

  test("has a row for each command of crictl", () => {
    const shown = new Set(rows.map(({ command }) => commandOf(command)));
    expect(Object.keys(rpcs).filter((name) => !shown.has(name))).toEqual([]);
    const table = page.slice(page.indexOf("## Commands"), page.indexOf("`completion`"));
    expect(rows).toHaveLength(table.split("\n").filter((line) => line.startsWith("| `")).length);
  });
});
