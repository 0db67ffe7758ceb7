/** `run` against FakeRuntime. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, test, vi } from "vitest";
import { parse } from "yaml";
import { Interruption } from "../../../src/cli/terminal.js";
import type { FakeRuntimeOptions } from "../../../src/testing/index.js";
import { type CliOptions, runCli } from "../../support/terminal.js";
import { startFake } from "../support.js";
import { forever, startRunNode } from "./run-node.js";

// The first test loads the modules of the command, which takes long on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

/** A job with two containers. */
const pair = (second = "exit 0") => `
apiVersion: v1
kind: Pod
metadata: { name: pair }
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 0
  containers:
  - { name: one, image: "busybox:1", command: [echo, first line] }
  - { name: two, image: "busybox:1", command: [sh, -c, "${second}"] }
`;

async function startNode(fakeOptions: FakeRuntimeOptions = {}) {
  const node = await startRunNode(fakeOptions);
  const run = (args: readonly string[], given?: CliOptions) => runCli(["run", ...node.options, ...args], given);
  return { ...node, run };
}

/** A signal that Ctrl-C aborts. */
function interruptible() {
  const ending = new AbortController();
  return { signal: ending.signal, interrupt: () => ending.abort(new Interruption("ended by SIGINT", 130)) };
}

describe("a manifest", () => {
  test("runs to its end: logs with prefixes, exit code 0, nothing left", async () => {
    const { run, file, left } = await startNode();
    const { exitCode, stdout, stderr } = await run(["-f", await file("pod.yaml", pair())]);
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: "pair/one first line\n", stderr: "" });
    expect(await left()).toEqual([0, 0]);
  });

  test("ends with the exit code of the container that failed", async () => {
    const { run, file, left } = await startNode();
    expect(await run(["-f", await file("pod.yaml", pair("exit 7"))])).toMatchObject({ exitCode: 7 });
    expect(await left()).toEqual([0, 0]);
  });

  test("shows what happens on a terminal, in colours, and not with --quiet", async () => {
    const { run, file } = await startNode();
    const path = await file("pod.yaml", pair());
    const { stdout, stderr } = await run(["-f", path], { isTTY: true });
    expect(stdout).toContain("\u001b[36mpair/one\u001b[39m first line\n");
    expect(stderr).toMatch(/pair\/one: Created: /);
    expect(stderr).toMatch(/pair\/two: Started: /);
    expect((await run(["-f", path, "-q"], { isTTY: true })).stderr).toBe("");
  });

  test("comes from stdin, and objects from a directory beside it", async () => {
    const { run, folder, file } = await startNode();
    await mkdir(join(folder, "objects"));
    await file(
      "objects/map.yaml",
      "{ apiVersion: v1, kind: ConfigMap, metadata: { name: words }, data: { word: hello } }",
    );
    const pod = pair().replace(
      "command: [echo, first line]",
      "envFrom: [{ configMapRef: { name: words } }], command: [echo, $(word)]",
    );
    const { exitCode, stdout } = await run(["-f", join(folder, "objects"), "-f", "-"], { stdin: Readable.from([pod]) });
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "pair/one hello\n" });
  });

  test("with faults is refused, with all of them and their places, and nothing is run", async () => {
    const { run, file, runtime } = await startNode();
    const path = await file("pod.yaml", pair().replace("restartPolicy: Never", "restartPolicy: Nver\n  containrs: []"));
    const { exitCode, stderr } = await run(["-f", path]);
    expect(exitCode).toBe(125);
    expect(stderr).toContain(`${path}:6:`);
    expect(stderr).toContain(`${path}:7:`);
    expect(stderr).toMatch(/did you mean containers\?/);
    expect(runtime.callsOf("RunPodSandbox")).toEqual([]);
  });

  test("cannot change the terminal by the name of its file", async () => {
    const { run, folder, file } = await startNode();
    await mkdir(join(folder, "forged"));
    await file("forged/\u001b[2J.yaml", pair().replace("restartPolicy: Never", "restartPolicy: Nver"));
    const { exitCode, stderr } = await run(["-f", join(folder, "forged")]);
    expect([exitCode, stderr]).toEqual([125, expect.stringContaining("[2J.yaml:6:")]);
    expect(stderr).not.toContain("\u001b");
  });

  test("names what has no effect, and unknown kinds if they are ignored", async () => {
    const { run, file } = await startNode();
    const ingress = "---\n{ apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: { name: i } }\n";
    const path = await file(
      "pod.yaml",
      pair().replace("restartPolicy", "schedulerName: other\n  restartPolicy") + ingress,
    );
    expect(await run(["-f", path])).toMatchObject({ exitCode: 125 });
    const { exitCode, stderr } = await run(["-f", path, "--ignore-unknown"]);
    expect(exitCode).toBe(0);
    expect(stderr).toContain(`${path}:6:3: spec.schedulerName is ignored`);
    expect(stderr).toMatch(/Ingress.* is ignored/);
  });
});

test("Ctrl-C stops and removes the pod, and exits with 130", async () => {
  const { run, file, left, runtime } = await startNode();
  const { signal, interrupt } = interruptible();
  const running = run(["-f", await file("web.yaml", forever)], { signal });
  await runtime.nextCall("StartContainer");
  interrupt();
  expect(await running).toMatchObject({ exitCode: 130, stderr: expect.stringMatching(/^Stopping and removing/) });
  expect(await left()).toEqual([0, 0]);
});

describe("--detach", () => {
  test("leaves a pod that is ready, prints its id, and the next run continues it", async () => {
    const { run, file, runtime, cri } = await startNode();
    const path = await file("web.yaml", forever);
    const { exitCode, stdout } = await run(["-f", path, "--detach"]);
    expect(exitCode).toBe(0);
    expect(runtime.pods.map(({ id }) => `${id}\n`)).toEqual([stdout]);
    expect(await cri.containers.list({ state: "running" })).toHaveLength(1);
    expect(await run(["-f", path, "-d"])).toEqual({ exitCode: 0, stdout, stderr: "" });
    expect(runtime.callsOf("CreateContainer")).toHaveLength(1);
  });

  test("removes a pod that is not ready in time, and exits with 124", async () => {
    const { run, file, left } = await startNode({ registry: { "gone:*": "missing" } });
    const path = await file("web.yaml", forever.replace("busybox:1", "gone:1"));
    const { exitCode, stderr } = await run(["-f", path, "-d", "--ready-timeout", "4s"]);
    expect(exitCode).toBe(124);
    expect(stderr).toMatch(/web\/main: .*gone:1[\s\S]*did not become ready/);
    expect(await left()).toEqual([0, 0]);
  });

  test("ends with the exit code of a pod that has failed already, and keeps it", async () => {
    const { run, file, runtime } = await startNode();
    expect(await run(["-f", await file("pod.yaml", pair("exit 3")), "-d"])).toMatchObject({ exitCode: 3 });
    expect(runtime.pods).toHaveLength(1);
  });
});

test("--dry-run prints the plan without secrets, and changes nothing", async () => {
  const { run, file, runtime } = await startNode();
  const path = await file("pod.yaml", pair().replace("name: one,", 'name: one, env: [{ name: P, value: "s3cret" }],'));
  const yaml = await run(["-f", path, "--dry-run"]);
  const json = await run(["-f", path, "--dry-run", "-o", "json"]);
  expect([yaml.exitCode, json.exitCode]).toEqual([0, 0]);
  expect(parse(yaml.stdout)).toEqual(JSON.parse(json.stdout));
  expect(JSON.parse(json.stdout)).toMatchObject({
    qosClass: "BestEffort",
    containers: [{ name: "one" }, { name: "two" }],
  });
  expect(yaml.stdout).not.toContain("s3cret");
  expect([runtime.callsOf("RunPodSandbox"), runtime.callsOf("PullImage")]).toEqual([[], []]);
});

describe("an image", () => {
  test("runs once with a command and variables", async () => {
    const { run, runtime, left } = await startNode();
    const args = ["--env", "WHO=world", "--host-network", "docker.io/library/busybox:1", "--", "echo", "-n", "hello"];
    const { exitCode, stdout } = await run(args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringMatching(/hello/) });
    const [created] = runtime.callsOf("CreateContainer");
    expect(created?.request.config).toMatchObject({ metadata: { name: "busybox" }, args: ["echo", "-n", "hello"] });
    expect(created?.request.config?.envs.map(({ key, value }) => `${key}=${value}`)).toContain("WHO=world");
    expect(runtime.callsOf("RunPodSandbox")[0]?.request.config?.metadata?.name).toMatch(/^busybox-[0-9a-f]{6}$/);
    expect(await left()).toEqual([0, 0]);
  });

  test("has a valid name, however long that of the image is", async () => {
    const { run, runtime } = await startNode();
    expect(await run([`registry.example/${"a".repeat(49)}_b:1`, "true"])).toMatchObject({ exitCode: 0 });
    const [created] = runtime.callsOf("CreateContainer");
    expect(created?.request.config?.metadata?.name).toBe("a".repeat(49));
  });

  test("passes on its exit code", async () => {
    const { run } = await startNode({ run: () => ({ exitCode: 42 }) });
    expect(await run(["--name", "job", "busybox:1"])).toMatchObject({ exitCode: 42, stdout: "" });
  });
});

test.each([
  [[], /run what\?/],
  [["-f", "x.yaml", "busybox:1"], /not both/],
  [["-f", "x.yaml", "--name", "n"], /for images/],
  [["--env", "NAME", "busybox:1"], /NAME=VALUE/],
  [["--kubelet-config", "/nonexistent", "busybox:1"], /--kubelet-config: /],
])("refuses %j with exit code 2", async (args, message) => {
  const { endpoint } = (await startFake()).runtime;
  expect(await runCli(["run", "-e", endpoint, ...args])).toMatchObject({
    exitCode: 2,
    stdout: "",
    stderr: expect.stringMatching(message),
  });
});

test("a runtime that does not answer is an exit code of 125", async () => {
  const { exitCode } = await runCli(["run", "-e", "/nonexistent/s", "busybox:1"]);
  expect(exitCode).toBe(125);
});
