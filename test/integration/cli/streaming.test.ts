/** logs, exec, attach, cp, port-forward, stats and top in this process, with pipes. */
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { Interruption } from "../../../src/cli/terminal.js";
import { messageFromJson } from "../../../src/index.js";
import { ContainerStats } from "../../../src/proto.js";
import { HostProcessBackend } from "../../../src/testing/index.js";
import { runInShell } from "../../support/built-cli.js";
import { skipOnWindows } from "../../support/platform.js";
import { type CliOptions, runCli, runLive } from "../../support/terminal.js";
import { startFake } from "../support.js";

// Programs start slowly on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const sh = (script: string) => ["sh", "-c", script];

/** Starts a node whose containers are processes of this machine, with the pod `web`. */
async function start() {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "cli-")));
  onTestFinished(() => rm(folder, { recursive: true }));
  const { runtime, cri } = await startFake({ backend: new HostProcessBackend() });
  const pod = await cri.pods.run({ name: "web", labels: { app: "shop" }, logDirectory: folder });
  const spec = { image: "busybox:1", workingDir: folder };
  const container = (name: string, command: string[], options: object = {}) =>
    pod.runContainer({ ...spec, name, command, ...options });
  const run = (args: readonly string[], options?: CliOptions) => runCli(["-e", runtime.endpoint, ...args], options);
  return { runtime, cri, pod, folder, container, run };
}

const skipped = skipOnWindows("commands in host processes");

describe.skipIf(skipped)("exec", () => {
  test("passes on output, errors and the exit code, and options of the command", async () => {
    const { container, run } = await start();
    await container("main", ["sleep", "60"]);
    const script = "echo out; echo err >&2; exit 7";
    expect(await run(["exec", "main", "sh", "-c", script])).toEqual({ exitCode: 7, stdout: "out\n", stderr: "err\n" });
    expect(await run(["exec", "web", "--", "echo", "-x", "--", "-i"])).toMatchObject({ stdout: "-x -- -i\n" });
    expect(
      await run(["exec", "web", "-c", "main", "-i", "--", "wc", "-c"], { stdin: Readable.from(["four"]) }),
    ).toEqual({
      exitCode: 0,
      stdout: "4\n",
      stderr: "",
    });
  });

  test("fails with the exit codes of docker and of a wrong command line", async () => {
    const { container, run } = await start();
    await container("main", ["sleep", "60"]);
    expect(await run(["exec", "main", "no-such-program"])).toMatchObject({ exitCode: 127 });
    expect(await run(["exec", "nothing", "true"])).toMatchObject({ exitCode: 125, stdout: "" });
    expect((await run(["exec", "-it", "main", "sh"])).stderr).toMatch(/needs a terminal as input; leave out -t/);
    for (const wrong of [["main"], ["-it", "main", "sh"], ["main", "-i", "sh"], ["main", "-x", "--", "sh"], []]) {
      const { exitCode, stderr } = await run(["exec", ...wrong]);
      expect({ wrong, exitCode }).toEqual({ wrong, exitCode: 2 });
      expect(stderr).not.toBe("");
    }
  });

  test("passes on input and output of any bytes and size", async () => {
    const { container, runtime } = await start();
    await container("main", ["sleep", "60"]);
    const bytes = randomBytes(3 * 2 ** 20 + 1);
    const line = "k8s-cri-client exec -i main -- cat | cat";
    const { exitCode, stdout, stderr } = await runInShell(line, runtime.endpoint, bytes);
    expect({ exitCode, stderr, isEqual: bytes.equals(stdout) }).toEqual({ exitCode: 0, stderr: "", isEqual: true });
  });

  test("ends quietly when the reader of its output has gone", async () => {
    const { container, runtime } = await start();
    await container("main", ["sleep", "60"]);
    const line = "k8s-cri-client exec main -- yes | head -c 5";
    const { stdout, stderr } = await runInShell(line, runtime.endpoint);
    expect({ stdout: stdout.toString(), stderr }).toEqual({ stdout: "y\ny\ny", stderr: "" });
  });

  test("ends with the exit code of an interruption", async () => {
    const { container, run } = await start();
    await container("main", ["sleep", "60"]);
    const ending = new AbortController();
    const stdin = new PassThrough();
    const running = run(["exec", "-i", "main", "cat"], { signal: ending.signal, stdin });
    setTimeout(() => ending.abort(new Interruption("ended by SIGINT", 130)), 500);
    expect(await running).toEqual({ exitCode: 130, stdout: "", stderr: "" });
  });
});

describe.skipIf(skipped)("attach", () => {
  test("passes on input and output, and exits as the container does", async () => {
    const { container, run } = await start();
    await container("main", sh("read name; echo hello $name; exit 4"), { stdin: true });
    const stdin = new PassThrough();
    const running = run(["attach", "-i", "main"], { stdin });
    stdin.write("world\n");
    expect(await running).toEqual({ exitCode: 4, stdout: "hello world\n", stderr: "" });
    expect(await run(["attach", "main"])).toMatchObject({ exitCode: 125 });
  });

  test("knows whether the process has a terminal", async () => {
    const { container, run } = await start();
    await container("main", ["sleep", "60"], { stdin: true, tty: true });
    expect(await run(["attach", "-i", "main"])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/needs a terminal as input/),
    });
  });
});

describe.skipIf(skipped)("logs", () => {
  test("of one container are the bytes that it wrote", async () => {
    const { container, runtime, folder } = await start();
    const bytes = randomBytes(100_000);
    await writeFile(join(folder, "bytes"), bytes);
    const main = await container("main", sh("cat bytes; echo"));
    await main.wait();
    const { stdout, stderr } = await runInShell("k8s-cri-client logs main", runtime.endpoint);
    expect({ stderr, isEqual: stdout.equals(Buffer.concat([bytes, Buffer.from("\n")])) }).toEqual({
      stderr: "",
      isEqual: true,
    });
    expect((await runInShell("k8s-cri-client logs main | head -c 3", runtime.endpoint)).stderr).toBe("");
  });

  test("of several containers are merged by time, with their names", async () => {
    const { container, run } = await start();
    // Each waits for the other, so that the times of the lines have this order on a slow machine, too.
    const waitFor = (file: string) => `until [ -e ${file} ]; do sleep 0.1; done; sleep 0.3`;
    const [a, b] = [
      await container("a", sh(`echo a1; touch a; ${waitFor("b")}; echo a2 >&2`)),
      await container("b", sh(`${waitFor("a")}; echo b1; touch b`)),
    ];
    await Promise.all([a.wait(), b.wait()]);
    const merged = "web/a a1\nweb/b b1\nweb/a a2\n";
    for (const args of [["web"], ["-l", "app=shop"], ["a", "b"], ["web", "a", "--all-containers"]]) {
      expect({ args, ...(await run(["logs", ...args])) }).toEqual({ args, exitCode: 0, stdout: merged, stderr: "" });
    }
    expect(await run(["logs", "-l", "app=shop", "-n", "other"])).toMatchObject({ exitCode: 0, stdout: "" });
    expect(await run(["logs", "-l", "app=shop", "-n", "default"])).toMatchObject({ stdout: merged });
    expect(await run(["logs", "web", "-c", "a", "--stream", "stderr"])).toMatchObject({ stdout: "a2\n" });
    expect(await run(["logs", "web", "--tail", "1"])).toMatchObject({ stdout: "web/b b1\nweb/a a2\n" });
    expect(await run(["logs", "a", "--since", "2099-01-01T00:00:00Z"])).toMatchObject({ exitCode: 0, stdout: "" });
    expect((await run(["logs", "b", "--timestamps"])).stdout).toMatch(/^\d{4}-\d\d-\d\dT\S+ b1\n$/);
    const lines = (await run(["logs", "web", "-o", "json"])).stdout.trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { pod: "web", container: "a", containerId: a.id, stream: "stdout", text: "a1", attempt: 0 },
      { pod: "web", container: "b", text: "b1" },
      { pod: "web", container: "a", stream: "stderr", text: "a2" },
    ]);
    const { stdout } = await run(["logs", "web"], { isTTY: true });
    const [first, second] = stdout.split("\n").map((line) => line.slice(0, line.indexOf("web/")));
    expect(first).toContain("\x1b[");
    expect(second).not.toBe(first);
  });

  test("are followed into new attempts, and those of the previous attempt are found", async () => {
    const { container, run, runtime } = await start();
    const first = await container("main", sh("echo run $(cat count 2>/dev/null || echo 1); echo 2 > count; sleep 0.2"));
    await first.wait();
    const following = runLive(["-e", runtime.endpoint, "logs", "-F", "web", "-c", "main"]);
    await expect.poll(following.stdout).toBe("run 1\n");
    const second = await first.restart();
    await second.wait();
    expect(await run(["logs", "main", "--previous"])).toEqual({ exitCode: 0, stdout: "run 1\n", stderr: "" });
    expect(await run(["logs", "-f", "main"])).toEqual({ exitCode: 0, stdout: "run 2\n", stderr: "" });
    await expect.poll(following.stdout).toBe("run 1\nrun 2\n");
    following.interrupt();
    expect(await following.exitCode).toBe(130);
  });

  test("that cannot be read are errors with a remedy", async () => {
    const { run } = await start();
    expect(await run(["logs"])).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/--label/) });
    expect(await run(["logs", "nothing"])).toMatchObject({ exitCode: 1 });
    expect(await run(["logs", "web", "-c", "nothing"])).toMatchObject({ exitCode: 1 });
    for (const wrong of [["--since", "soon"], ["--tail", "-1"], ["--stream", "x"], ["-p", "-f"], ["-p"]]) {
      expect({ wrong, ...(await run(["logs", ...wrong])) }).toMatchObject({ wrong, exitCode: 2 });
    }
  });
});

describe.skipIf(skipped)("cp", () => {
  test("copies in both directions, as cp does", async () => {
    const { container, run, folder } = await start();
    await container("main", ["sleep", "60"]);
    const file = (...path: string[]) => join(folder, ...path);
    for (const name of ["site", "there", "back"]) await mkdir(file(name));
    await writeFile(file("site/index"), "hello\n");
    await writeFile(file("extra"), "more\n");
    const copy = (...args: string[]) => run(["cp", ...args]);
    const done = { exitCode: 0, stdout: "", stderr: "" };
    expect(await copy(file("site"), file("extra"), `main:${file("there")}`)).toEqual(done);
    expect(await copy(`${file("site")}/.`, `main:${file("content")}`)).toEqual(done);
    expect(await copy(`main:${file("there/extra")}`, `web:${file("there/site")}`, file("back"))).toEqual(done);
    for (const path of ["there/site/index", "content/index", "back/site/index"]) {
      expect(await readFile(file(path), "utf8")).toBe("hello\n");
    }
    expect(await readFile(file("back/extra"), "utf8")).toBe("more\n");
  });

  test("copies archives through pipes", async () => {
    const { container, runtime, folder } = await start();
    await container("main", ["sleep", "60"]);
    await mkdir(join(folder, "site"));
    await mkdir(join(folder, "there"));
    await writeFile(join(folder, "site/index"), randomBytes(2 ** 20));
    const line = `k8s-cri-client cp main:${folder}/site - | k8s-cri-client cp - main:${folder}/there`;
    expect(await runInShell(line, runtime.endpoint)).toMatchObject({ exitCode: 0, stderr: "" });
    const [sent, received] = await Promise.all(["site", "there"].map((name) => readFile(join(folder, name, "index"))));
    expect(received?.equals(sent as Buffer)).toBe(true);
  });

  test("refuses paths that cannot work, with a remedy", async () => {
    const { container, run } = await start();
    await container("main", ["sleep", "60"]);
    expect((await run(["cp", "main:/a", "main:/b"])).stderr).toMatch(/cp main:\/a - \| k8s-cri-client cp - main:\/b/);
    for (const wrong of [
      ["a"],
      ["a", "b"],
      ["main:/a", "b", "c"],
      ["-", "a", "main:/x"],
      [":/a", "b"],
      ["main:", "b"],
    ]) {
      expect({ wrong, ...(await run(["cp", ...wrong])) }).toMatchObject({ wrong, exitCode: 2 });
    }
    expect((await run(["cp", "main:/a", "-"], { isTTY: true })).stderr).toMatch(/output is a terminal/);
    expect((await run(["cp", "main:relative", "b"])).stderr).toMatch(/absolute/);
    expect(await run(["cp", "main:/no/such/file", "b"])).toMatchObject({ exitCode: 1 });
  });
});

describe("port-forward", () => {
  test("forwards connections, reports those that fail, and ends with the exit code of an interruption", async () => {
    const server = createServer((_, response) => response.end("hello")).listen(0, "127.0.0.1");
    onTestFinished(() => void server.close());
    const { runtime, cri } = await startFake({ backend: new HostProcessBackend() });
    await cri.pods.run({ name: "web" });
    const { port } = server.address() as AddressInfo;
    const ports = [`:${port}`, ":1", "--address", " localhost"];
    const running = runLive(["-e", runtime.endpoint, "port-forward", "web", ...ports]);
    await expect.poll(() => running.stdout().match(/^Forwarding from 127\.0\.0\.1:(\d+) -> \d+$/gm)).toHaveLength(2);
    const [good, bad] = [...running.stdout().matchAll(/:(\d+) ->/g)].map(([, local]) => local);
    expect(await (await fetch(`http://127.0.0.1:${good}`)).text()).toBe("hello");
    await expect(fetch(`http://127.0.0.1:${bad}`)).rejects.toThrow();
    await expect.poll(running.stderr).toMatch(/^Connection to port 1: /);
    running.interrupt();
    expect(await running.exitCode).toBe(130);
    await expect(fetch(`http://127.0.0.1:${good}`)).rejects.toThrow();
    expect(await runCli(["-e", runtime.endpoint, "port-forward", "web", "80/udp"])).toMatchObject({ exitCode: 2 });
  });
});

describe("stats and top", () => {
  test("print a table, the runtime's messages, or ids", async () => {
    const { runtime, cri } = await startFake();
    // Without it, containerd has no statistics of pods.
    const cgroup = { cgroupParent: "/stats" };
    const pod = await cri.pods.run({ ...cgroup, name: "web", namespace: "shop", labels: { app: "shop" } });
    const other = await cri.pods.run({ ...cgroup, name: "other" });
    const [a, b] = [
      await pod.runContainer({ name: "a", image: "busybox:1" }),
      await other.runContainer({ name: "b", image: "busybox:1" }),
    ];
    const run = (...args: string[]) => runCli(["-e", runtime.endpoint, ...args]);
    const table = (await run("stats", "--interval", "10ms")).stdout.trimEnd().split("\n");
    expect(table.map((line) => line.split(/ {2,}/)[1])).toEqual(["NAME", "b", "a"]);
    expect(table[2]).toMatch(/ a +\d+\.\d .* shop\/web$/);
    for (const args of [["web"], ["a"], ["-l", "app=shop"], ["-n", "shop"]]) {
      expect({ args, ...(await run("stats", "-o", "name", ...args)) }).toMatchObject({ args, stdout: `${a.id}\n` });
    }
    const json = (await run("stats", "b", "-o", "json")).stdout;
    expect(messageFromJson(ContainerStats, JSON.parse(json).stats[0])).toMatchObject({ attributes: { id: b.id } });
    const pods = (await run("stats", "--pods", "-n", "shop", "--interval", "10ms")).stdout;
    expect(pods).toMatch(/^POD ID +POD .*\n\w+ +shop\/web .*\n$/);
    expect((await run("stats", "--pods", "-o", "json", "other")).stdout).toContain(other.id);
    expect((await run("top", "--interval", "10ms", "--sort", "name")).stdout).toMatch(
      /^CONTAINER .*\n.* a .*\n.* b .*\n$/,
    );
    expect(await run("top", "--sort", "x")).toMatchObject({ exitCode: 2 });
  });
});
