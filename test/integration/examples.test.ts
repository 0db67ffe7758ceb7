/**
 * Runs each example as a user would, on a fake runtime. Each must succeed and leave nothing. test/runtime/examples.test.ts runs
 * those that need programs or files of an image on a real runtime.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { FakeRuntime, HostProcessBackend } from "k8s-cri-client/testing";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type CompiledExamples, compileExamples, examples } from "../support/compiled-examples.js";
import { skipOnWindows, unusedEndpoint } from "../support/platform.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = join(root, "examples");
/** Examples that test/package/tarball.test.ts runs with their own test runners, against the package. */
const tests = readdirSync(join(folder, "testing")).map((name) => join("testing", name));
const real = ["copy.ts", "port-forward.ts"];
/** Examples that run commands, so their fake uses processes of this machine. */
const commands = ["exec-interactive.ts", "logs-follow.ts"];
/** Examples that only read objects which exist already. */
const observers = ["exporter.ts", "top.ts"];

const noShell = skipOnWindows("examples that run commands of a POSIX shell");
const noSignals = skipOnWindows("interrupting the quickstart, because a signal kills a process at once");

let compiled: CompiledExamples;
beforeAll(async () => {
  compiled = await compileExamples();
});
afterAll(() => compiled[Symbol.asyncDispose]());

let runtime: FakeRuntime;
beforeEach(async () => {
  runtime = await FakeRuntime.start();
});
afterEach(() => runtime.stop());

function start(file: string, args?: string[], env?: NodeJS.ProcessEnv, input?: string) {
  return startNode([compiled.program(file)], args, env, input);
}

function startNode(program: string[], args: string[] = [], env: NodeJS.ProcessEnv = {}, input = "") {
  const child = spawn(process.execPath, [...program, ...args], {
    cwd: root,
    env: { ...process.env, CONTAINER_RUNTIME_ENDPOINT: runtime.endpoint, NO_COLOR: "1", ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdin.on("error", () => {}).end(input);
  const finished = Promise.all([once(child, "exit"), text(child.stdout), text(child.stderr)]);
  return { child, finished: finished.then(([[code], stdout, stderr]) => ({ code, stdout, stderr })) };
}

describe("examples", () => {
  test.each(examples.filter((name) => ![...real, ...commands].includes(name)))(
    "%s succeeds and leaves nothing",
    async (file) => {
      expect(await start(file).finished).toMatchObject({ code: 0, stderr: "" });
      expect({ pods: runtime.pods, containers: runtime.containers }).toEqual({ pods: [], containers: [] });
    },
  );

  test.each([...examples, ...tests])("%s has at most 40 lines", (file) => {
    expect(readFileSync(join(folder, file), "utf8").trimEnd().split("\n").length).toBeLessThanOrEqual(40);
  });

  // A running pod tries again what failed, as with a kubelet.
  test.each(examples.filter((name) => name !== "run-manifest.ts"))("%s fails if the runtime fails", async (file) => {
    runtime.failNext(observers.includes(file) ? "ListContainerStats" : "CreateContainer", {
      code: "INTERNAL",
      message: "no space left on device",
    });
    const { code, stderr } = await start(file).finished;
    expect(code).not.toBe(0);
    expect(stderr).toContain("no space left on device");
    expect(runtime.pods).toEqual([]);
  });
});

describe.skipIf(noShell)("examples that run commands", () => {
  beforeEach(async () => {
    await runtime.stop();
    runtime = await FakeRuntime.start({ backend: new HostProcessBackend() });
  });

  test("logs-follow.ts succeeds", async () => {
    const { code, stdout, stderr } = await start("logs-follow.ts").finished;
    expect({ code, stderr, pods: runtime.pods }).toEqual({ code: 0, stderr: "", pods: [] });
    expect(stdout).toMatch(/ stdout line 20\n.* stderr the end\n/);
  });

  test("exec-interactive.ts works without a terminal", async () => {
    const { code, stdout } = await start("exec-interactive.ts", [], {}, "echo $((6 * 7)); exit 3\n").finished;
    expect(code).toBe(0);
    expect(stdout).toBe("42\nThe shell exited with code 3.\n");
    expect(runtime.pods).toEqual([]);
  });
});

describe("examples that only read", () => {
  beforeEach(async () => {
    const cri = await runtime.connect();
    const pod = await cri.pods.run({ name: "shop" });
    for (const name of ["web", "cache"]) await pod.runContainer({ name, image: "docker.io/library/busybox:1.37" });
    await cri.close();
  });

  test("top.ts shows the busiest container first", async () => {
    const { code, stdout } = await start("top.ts", ["--once"]).finished;
    expect(code).toBe(0);
    const rows = [...stdout.matchAll(/^│ (\d+\.\d) .* default\/shop +│ (web|cache) +│ docker\.io/gm)];
    expect(rows.map(([, , name]) => name).sort()).toEqual(["cache", "web"]);
    expect(Number(rows[0]?.[1])).toBeGreaterThanOrEqual(Number(rows[1]?.[1]));
  });

  test("exporter.ts keeps serving on the given port after a failed scrape", async () => {
    const { child, finished } = start("exporter.ts", ["0"]);
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const url = /http:\S+/.exec(line.toString())?.[0] ?? "";
    runtime.failNext("ListContainerStats", { code: "INTERNAL", message: "disk failure" });
    expect((await fetch(url)).status).toBe(503);
    const response = await fetch(url);
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(await response.text()).toMatch(/^container_cpu_usage_seconds_total\{.*container="web".*\} \d/m);
    expect((await fetch(new URL("/", url))).status).toBe(404);
    child.kill();
    await finished;
  });
});

describe("quickstart", () => {
  const quickstart = "quickstart/main.ts";
  /** Lists all images except that of pod sandboxes. */
  const unpinnedImages = () => runtime.images.filter(({ pinned }) => !pinned);

  test("prints which runtime it found, and leaves nothing", async () => {
    await scriptCommands();
    const { code, stdout, stderr } = await start(quickstart).finished;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^Runtime: containerd \S+ at (?:unix|npipe):\S+, named by CONTAINER_RUNTIME_ENDPOINT\.\n/);
    expect(stdout).toContain("exited with code 7");
    expect(stdout).toMatch(/Nothing is left behind\.\n$/);
    expect({ pods: runtime.pods, containers: runtime.containers, images: unpinnedImages() }).toEqual({
      pods: [],
      containers: [],
      images: [],
    });
  });

  test("--keep keeps its objects and prints how to remove them", async () => {
    await scriptCommands();
    const { code, stdout } = await start(quickstart, ["--keep", "--endpoint", runtime.endpoint]).finished;
    expect(code).toBe(0);
    expect(stdout).toContain(`rmp --force ${runtime.pods[0]?.id}`);
    expect(runtime.containers).toHaveLength(1);
  });

  test("uses an image on the node and does not remove it", async () => {
    await scriptCommands(["registry.example/tools/alpine:3.20"]);
    const { stdout } = await start(quickstart).finished;
    expect(stdout).toContain("Image registry.example/tools/alpine:3.20 is on the node");
    expect(unpinnedImages()).toHaveLength(1);
  });

  test("the error for an image that cannot be pulled names the remedy", async () => {
    runtime.failNext("PullImage", { code: "UNKNOWN", message: "failed to do request: dial tcp: connection refused" });
    const { code, stderr } = await start(quickstart, ["--image", "registry.example/x:1"]).finished;
    expect(code).toBe(1);
    expect(stderr).toContain("Failed: ");
    expect(stderr).toContain("-- --image <reference>");
    expect(runtime.images).toEqual([]);
  });

  test.skipIf(noSignals).each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("cleans up after %s", async (signal, exitCode) => {
    runtime.hangNext("ExecSync");
    const { child, finished } = start(quickstart);
    await runtime.nextCall("ExecSync");
    child.kill(signal);
    const { code, stdout } = await finished;
    expect(code).toBe(exitCode);
    expect(stdout).toMatch(new RegExp(`Interrupted by ${signal}\\. Nothing is left behind\\.\n$`));
    expect({ pods: runtime.pods, images: unpinnedImages() }).toEqual({ pods: [], images: [] });
  });

  test.skipIf(noShell)("uses the fake if there is no runtime", async () => {
    const env = { CONTAINER_RUNTIME_ENDPOINT: "", CRI_CONFIG_FILE: "", CRI_LAB: "off" };
    const { code, stdout } = await start(quickstart, [], env).finished;
    // On a machine with a runtime, the quickstart finds that one.
    if (stdout.includes("found at a well-known path")) return;
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Runtime: a fake whose containers are processes of this machine, .*\(CRI_LAB=off\)\.\n/);
    expect(stdout).toMatch(/The command printed: Hello from .*exited with code 7/s);
    expect(stdout).toMatch(/Nothing is left behind\.\n$/);
  });

  test("does not use the fake if the given runtime does not work", async () => {
    const { code, stderr } = await start(quickstart, [], { CONTAINER_RUNTIME_ENDPOINT: unusedEndpoint }).finished;
    expect(code).toBe(1);
    expect(stderr).toContain("there is no socket at this path");
  });

  test("prints its usage with --help, and rejects unknown options", async () => {
    // Started as the npm script does.
    const program = ["--import", "tsx", join(folder, quickstart)];
    expect(await startNode(program, ["--help"]).finished).toMatchObject({ code: 0, stderr: "" });
    expect(await start(quickstart, ["--frobnicate"]).finished).toMatchObject({ code: 2 });
  });

  /** Starts a fake whose container exits when a command creates the file that it waits for. */
  async function scriptCommands(images: string[] = []): Promise<void> {
    await runtime.stop();
    let end = (_: number) => {};
    const exitCode = new Promise<number>((resolve) => {
      end = resolve;
    });
    runtime = await FakeRuntime.start({
      images,
      run: () => ({ exitCode }),
      exec: (_, command) => {
        if (command[0] === "touch") end(7);
        return { stdout: "Hello\n" };
      },
    });
  }
});
