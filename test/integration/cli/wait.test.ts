/** `wait` against FakeRuntime. */
import { expect, test } from "vitest";
import { runCli } from "../../support/terminal.js";
import { startFake } from "../support.js";

async function startNode() {
  const { runtime, cri } = await startFake();
  const pod = await cri.pods.run({ name: "web" });
  const run = (...args: string[]) => runCli(["wait", ...args, "-e", runtime.endpoint]);
  const container = (name: string, line: string) =>
    pod.runContainer({ name, image: "busybox:1", command: ["sh", "-c", line], terminationGracePeriodSeconds: 0 });
  return { runtime, cri, pod, run, container };
}

test("prints the exit code of a container, and exits with it", async () => {
  const { run, container } = await startNode();
  const main = await container("main", "exit 3");
  expect(await run("web/main")).toEqual({ exitCode: 3, stdout: "3\n", stderr: "" });
  expect(await run(main.id.slice(0, 12), "main")).toMatchObject({ exitCode: 3 });
});

test("waits for a container that runs, and for all containers of a pod", async () => {
  const { run, container, runtime } = await startNode();
  const main = await container("main", "sleep 1000");
  await container("side", "exit 0");
  const waiting = run("web");
  await runtime.nextCall("ContainerStatus");
  await main.stop({ gracePeriodSeconds: 0 });
  expect(await waiting).toEqual({ exitCode: 137, stdout: "137\n", stderr: "" });
  expect(await run("web/main", "web/side")).toMatchObject({
    exitCode: 137,
    stdout: expect.stringMatching(/^web\/side 0$/m),
  });
});

test("waits for states of pods and containers", async () => {
  const { run, container, pod, runtime } = await startNode();
  await container("main", "sleep 1000");
  expect(await run("--for", "ready", "web")).toEqual({ exitCode: 0, stdout: "web\n", stderr: "" });
  expect(await run("--for", "running", "main")).toMatchObject({ exitCode: 0 });
  const removed = run("--for", "removed", "web");
  const stopped = run("--for", "notready", "web");
  await runtime.nextCall("PodSandboxStatus");
  await pod.stop({ gracePeriodSeconds: 0 });
  expect(await stopped).toMatchObject({ exitCode: 0 });
  await pod.remove();
  expect(await removed).toMatchObject({ exitCode: 0, stdout: "web\n" });
});

test("ends with 124 at the limit, and with 125 if it cannot wait", async () => {
  const { run, container } = await startNode();
  await container("main", "sleep 1000");
  expect(await run("main", "--timeout", "300ms")).toMatchObject({ exitCode: 124, stdout: "" });
  expect(await run("nothing")).toMatchObject({ exitCode: 125, stderr: expect.stringMatching(/nothing/) });
  expect(await run("-l", "app=none")).toMatchObject({ exitCode: 1 });
});

test("a container that has exited never runs, and states of pods are not those of containers", async () => {
  const { run, container } = await startNode();
  await container("main", "exit 3");
  await expect.poll(async () => (await run("main")).exitCode).toBe(3);
  expect(await run("--for", "running", "main")).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/exited with 3/),
  });
  expect(await run("--for", "ready", "web/main")).toMatchObject({ exitCode: 2 });
  expect(await run()).toMatchObject({ exitCode: 2 });
});
