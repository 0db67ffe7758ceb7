/** `wait` against FakeRuntime. */
import { PassThrough, Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { expect, onTestFinished, test } from "vitest";
import { runProgram } from "../../../src/cli/program.js";
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

test("a pod ends as the latest attempts of its containers", async () => {
  const { run, container, pod } = await startNode();
  const first = await container("main", "exit 3");
  await first.wait();
  const command = ["sh", "-c", "exit 0"];
  await (await pod.runContainer({ name: "main", image: "busybox:1", command, attempt: 1 })).wait();
  expect(await run("web")).toEqual({ exitCode: 0, stdout: "0\n", stderr: "" });
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

test("an id of a hostile runtime cannot change the terminal", async () => {
  const { runtime, run } = await startNode();
  runtime.respondNext(
    "ListPodSandbox",
    ({ items = [] }) => ({ items: items.map((one) => ({ ...one, id: "forged\u001b[2J" })) }),
    { times: Number.POSITIVE_INFINITY },
  );
  const { exitCode, stderr } = await run("web");
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining("pod forged\ufffd[2J has no containers")]);
});

test("many results wait for a slow reader, without a warning of leaks", async () => {
  const { runtime, container } = await startNode();
  const names = Array.from({ length: 12 }, (_, index) => `job-${index}`);
  for (const name of names) await (await container(name, "exit 0")).wait();
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => void warnings.push(warning);
  process.on("warning", onWarning);
  onTestFinished(() => void process.off("warning", onWarning));
  let text = "";
  const stdout = new Writable({
    highWaterMark: 1,
    write(chunk, _, done) {
      text += chunk;
      setTimeout(done, 20);
    },
  });
  const terminal = {
    stdin: new PassThrough(),
    stderr: new PassThrough(),
    env: {},
    signal: new AbortController().signal,
  };
  expect(await runProgram(["wait", ...names, "-e", runtime.endpoint], { ...terminal, stdout })).toBe(0);
  await finished(stdout.end());
  expect(text.split("\n").sort()).toEqual(["", ...names.map((name) => `${name} 0`)].sort());
  expect(warnings).toEqual([]);
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
