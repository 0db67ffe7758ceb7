/** `events` against FakeRuntime. */
import { expect, onTestFinished, test } from "vitest";
import type { CriClient } from "../../../src/index.js";
import type { FakeRuntime } from "../../../src/testing/index.js";
import { runCli, runLive } from "../../support/terminal.js";
import { startFake } from "../support.js";

/** Follows events until the output contains a text, then presses Ctrl-C. */
async function eventsWhile(
  { runtime, cri }: { runtime: FakeRuntime; cri: CriClient },
  args: string[],
  act: () => Promise<unknown>,
  last: RegExp,
): Promise<string> {
  const following = runLive(["events", "-e", runtime.endpoint, ...args]);
  await runtime.nextCall("ListPodSandbox");
  // The watch of another client begins later than that of the command.
  await cri.events({ timeoutMs: 20_000 }).ready;
  await act();
  await expect.poll(following.stdout).toMatch(last);
  following.interrupt();
  expect(await following.exitCode).toBe(130);
  expect(following.stderr()).toBe("");
  return following.stdout();
}

async function startNode() {
  const { runtime, cri } = await startFake();
  const web = await cri.pods.run({ name: "web", namespace: "shop", labels: { app: "web" } });
  onTestFinished(() => web.dispose());
  const exits = async () => {
    const main = await web.runContainer({ name: "main", image: "busybox:1", command: ["sh", "-c", "exit 3"] });
    await main.wait();
  };
  return { runtime, cri, web, exits };
}

test("prints a line for each change, with the names of pods", async () => {
  const node = await startNode();
  const act = async () => {
    await node.exits();
    await node.cri.pods.run({ name: "other" });
  };
  const text = await eventsWhile(node, [], act, /containerExited[\s\S]*podAdded|podAdded[\s\S]*containerExited/);
  expect(text).toMatch(/^\d{4}-\S+Z {2}containerAdded {4}shop\/web\/main {2}busybox:1$/m);
  expect(text).toMatch(/containerExited {3}shop\/web\/main {2}exit code 3$/m);
  expect(text).toMatch(/podAdded {10}default\/other$/m);
  expect(text).not.toContain("resync");
});

test("filters by pod, container and type, and prints one JSON object a line", async () => {
  const node = await startNode();
  const filters = ["-p", "shop/web", "-c", "main", "-t", "containerexited,podRemoved", "-o", "json"];
  const text = await eventsWhile(node, filters, node.exits, /\n/);
  const events = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(events).toMatchObject([
    { type: "containerExited", exitCode: 3, podName: "shop/web", container: { metadata: { name: "main" } } },
  ]);
  expect(events[0].at).toMatch(/^\d{4}-.*Z$/);
});

test("begins with what exists, and survives a restart of the runtime", async () => {
  const node = await startNode();
  const restart = async () => {
    await node.runtime.kill();
    await node.runtime.restart();
  };
  const text = await eventsWhile(node, ["--initial", "-l", "app=web"], restart, /gap/);
  expect(text).toMatch(/^\S+ {2}resync {12}initial: 1 pods, 0 containers$/m);
  expect(text).toMatch(/resync {12}gap: 1 pods/);
});

test("ends with 124 at the limit", async () => {
  const { runtime } = await startFake();
  expect(await runCli(["events", "-e", runtime.endpoint, "--timeout", "500ms"])).toMatchObject({
    exitCode: 124,
    stdout: "",
  });
});

test.each([[["events", "web"]], [["events", "-t", "exited"]]])("refuses %j with exit code 2", async (args) => {
  expect(await runCli(args)).toMatchObject({ exitCode: 2, stdout: "" });
});
