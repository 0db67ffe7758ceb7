/**
 * Containers as processes of this machine.
 *
 * @module
 */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { describe, expect, onTestFinished, test } from "vitest";
import type { CopyFromOptions } from "../../src/index.js";
import { FakeRuntime, type FakeRuntimeOptions, HostProcessBackend } from "../../src/testing/index.js";
import { canMount, skipOnWindows, skipWhere } from "../support/platform.js";
import { rejection, startFake } from "./support.js";

async function start(command: string[], spec: { stdin?: boolean; tty?: boolean; env?: Record<string, string> } = {}) {
  // The path that `pwd` prints: macOS has its temporary folder behind a symbolic link.
  const logDirectory = await realpath(await mkdtemp(join(tmpdir(), "host-")));
  onTestFinished(() => rm(logDirectory, { recursive: true }));
  const { runtime, cri } = await startFake({ backend: new HostProcessBackend() });
  const pod = await cri.pods.run({ name: "p", logDirectory });
  const create = () =>
    cri.runContainerInSandbox(pod, { name: "c", image: "busybox:1", command, workingDir: logDirectory, ...spec });
  return { runtime, cri, pod, logDirectory, create };
}

const sh = (script: string) => ["sh", "-c", script];

/** Returns whether a process runs. A zombie, whose exit code was not read, does not. */
async function isAlive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
    const state = process.platform === "linux" ? await readFile(`/proc/${pid}/stat`, "utf8") : "";
    return !/\) Z /.test(state);
  } catch {
    return false;
  }
}

describe.skipIf(skipOnWindows("host processes that run a POSIX shell"))("a host process", () => {
  test("has environment, directory, log and exit code", async () => {
    const { create, logDirectory } = await start(sh("echo $GREETING from $(pwd); echo oh >&2; exit 7"), {
      env: { GREETING: "hi" },
    });
    const container = await create();
    expect(await container.wait()).toMatchObject({ exitCode: 7 });
    const lines = [];
    for await (const { stream, text } of container.logs()) lines.push(`${stream}: ${text}`);
    expect(lines.sort()).toEqual(["stderr: oh", `stdout: hi from ${logDirectory}`]);
  });

  test("gets its stop signal, and is killed after the grace period", async () => {
    const { create, pod, cri } = await start(sh("trap 'exit 3' TERM; while :; do sleep 0.05; done"));
    const container = await create();
    await container.execSync(["true"]);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await container.stop({ gracePeriodSeconds: 20 });
    expect((await container.status()).exitCode).toBe(3);
    const command = sh("trap '' TERM; while :; do sleep 0.05; done");
    const unresponsive = await cri.runContainerInSandbox(pod, { name: "d", image: "busybox:1", command });
    await unresponsive.stop({ gracePeriodSeconds: 0 });
    expect((await unresponsive.status()).exitCode).toBe(137);
  });

  test("gets its stop signal without its children", async () => {
    const child = `sh -c 'trap "touch signalled" TERM; touch up; while :; do sleep 0.05; done'`;
    const { create, logDirectory } = await start(sh(`${child} & trap "sleep 0.5; exit 4" TERM; wait`));
    const container = await create();
    await container.execSync(sh("until test -e up; do sleep 0.05; done"));
    await container.stop({ gracePeriodSeconds: 20 });
    expect((await container.status()).exitCode).toBe(4);
    expect(await readdir(logDirectory)).not.toContain("signalled");
  });

  test("uses the image's command, environment and stop signal unless it has its own", async () => {
    const { cri, pod, logDirectory, runtime } = await start([]);
    runtime.addImage({
      reference: "demo:1",
      entrypoint: sh('trap "exit 5" INT; echo "$A $B $0"; while :; do sleep 0.05; done'),
      command: ["of the image"],
      env: { A: "a", B: "b" },
      stopSignal: "SIGINT",
    });
    const run = async (name: string, spec: object) => {
      const container = await cri.runContainerInSandbox(pod, { name, image: "demo:1", ...spec });
      const log = () => readFile(join(logDirectory, `${name}.0.log`), "utf8");
      await expect.poll(log).toMatch(/\n/);
      return { container, output: (await log()).trim().split(" ").slice(3).join(" ") };
    };
    const plain = await run("plain", {});
    expect(plain.output).toBe("a b of the image");
    await plain.container.stop({ gracePeriodSeconds: 20 });
    expect((await plain.container.status()).exitCode).toBe(5);
    expect((await run("args", { args: ["of the spec"], env: { B: "c" } })).output).toBe("a c of the spec");
    expect((await run("command", { command: ["echo", "alone"] })).output).toBe("alone");
  });

  test.skipIf(skipWhere(process.platform !== "linux", "statistics of a host process: there is no /proc"))(
    "has its own statistics",
    async () => {
      const { cri, pod } = await start([]);
      const run = (name: string, command: string[]) =>
        cri.runContainerInSandbox(pod, { name, image: "busybox:1", command });
      const [busy, idle] = [await run("busy", sh("while :; do :; done")), await run("idle", ["sleep", "60"])];
      const cpu = async (container: typeof busy) =>
        (await container.stats()).cpu?.usageCoreNanoSeconds?.value.toNumber();
      await expect.poll(() => cpu(busy), { timeout: 20_000 }).toBeGreaterThan(500_000_000);
      expect(await cpu(idle)).toBeLessThan(250_000_000);
      expect((await idle.stats()).memory?.workingSetBytes?.value.toNumber()).toBeGreaterThan(10_000);
      expect((await idle.stats()).memory?.workingSetBytes?.value.toNumber()).toBeLessThan(8 << 20);
    },
  );

  test("that cannot be started fails like on a runtime", async () => {
    const { cri, pod, logDirectory } = await start([]);
    const failure = (program: string) => {
      const spec = { name: program, image: "busybox:1", command: [program], env: { PATH: logDirectory } };
      return rejection(cri.runContainerInSandbox(pod, spec));
    };
    await writeFile(join(logDirectory, "not-a-program"), "#!/bin/sh\n");
    for (const program of ["no-such-program", "not-a-program"]) {
      expect(String(await failure(program))).toContain(`"${program}": executable file not found in $PATH`);
    }
  });

  test("runs commands, with input up to its end", async () => {
    const { create } = await start(["sleep", "60"]);
    const container = await create();
    expect(await container.execSync(sh("echo out; echo err >&2; exit 3"))).toEqual({
      exitCode: 3,
      stdout: "out\n",
      stderr: "err\n",
    });
    expect(await rejection(container.execSync(["sleep", "9"], { commandTimeoutSeconds: 1 }))).toBeInstanceOf(Error);
    const input = randomBytes(1 << 20);
    const { stdout } = await container.execOutput(["cat"], { input, encoding: "buffer" });
    const sum = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
    expect(sum(stdout)).toBe(sum(input));
    for (const transport of ["spdy", "websocket"] as const) {
      expect(await container.execOutput(sh("kill -9 $$"), { transport })).toMatchObject({ exitCode: 137 });
      expect(await rejection(container.execOutput(["frob"], { transport }))).toMatchObject({
        code: "COMMAND_NOT_FOUND",
      });
    }
    const session = await container.exec(sh("echo a; sleep 0.1; echo b >&2"), { tty: true });
    expect(await text(session.stdout as Readable)).toBe("a\nb\n");
  });

  const noTar = skipWhere(spawnSync("tar", ["--version"]).error !== undefined, "copying files: there is no tar");
  const noMounts = skipWhere(!canMount(), "a copy that does not fit: this process may not mount");
  test.skipIf(noTar)("copies files in both directions", async () => {
    const { create, logDirectory } = await start(["sleep", "60"]);
    const container = await create();
    const file = (...path: string[]) => join(logDirectory, ...path);
    await mkdir(file("here"));
    await writeFile(file("here/index.html"), "<h1>Hello</h1>\n");
    await container.copyTo(file("here"), file("there/site"));
    await container.copyFrom(file("there/site"), file("back"));
    expect(await readFile(file("back/index.html"), "utf8")).toBe("<h1>Hello</h1>\n");
  });

  test.skipIf(noTar)("copies into a folder under the name of the source, as cp does", async () => {
    const { create, logDirectory } = await start(["sleep", "60"]);
    const container = await create();
    const file = (...path: string[]) => join(logDirectory, ...path);
    const into = { intoFolder: true };
    await mkdir(file("here"));
    await mkdir(file("there"));
    await writeFile(file("here/page"), "hello\n");
    await container.copyTo(file("here"), file("there"), into);
    await container.copyTo(file("here/page"), file("there"), into);
    await container.copyTo(file("here/page"), `${file("new")}/`, into);
    // Neither a folder nor a path with a slash: the path becomes a copy.
    await container.copyTo(file("here/page"), file("renamed"), into);
    for (const copy of ["there/here/page", "there/page", "new/page", "renamed"]) {
      expect(await readFile(file(copy), "utf8")).toBe("hello\n");
    }
    await mkdir(file("back"));
    await container.copyFrom(file("there"), file("back"), into);
    await container.copyFrom(file("renamed"), file("back"), into);
    await container.copyFrom(file("renamed"), `${file("fresh")}/`, into);
    await container.copyFrom(file("renamed"), file("plain"), into);
    for (const copy of ["back/there/here/page", "back/renamed", "fresh/renamed", "plain"]) {
      expect(await readFile(file(copy), "utf8")).toBe("hello\n");
    }
    expect(await rejection(container.copyFrom(file("renamed"), file("back")))).toMatchObject({ code: "INVALID_INPUT" });
  });

  test.skipIf(noTar || noMounts)("cannot fill the disk by a copy, unless allowed", async () => {
    const { create, logDirectory } = await start(["sleep", "60"]);
    const container = await create();
    const [big, small] = [join(logDirectory, "big"), join(logDirectory, "small")];
    await writeFile(big, randomBytes(4 * 2 ** 20));
    await mkdir(small);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", small]);
    try {
      const copy = (options?: CopyFromOptions) => rejection(container.copyFrom(big, join(small, "copy"), options));
      expect(await copy()).toMatchObject({ code: "RESOURCE_EXHAUSTED", details: expect.stringMatching(/maxBytes/) });
      const maxBytes = Number.POSITIVE_INFINITY;
      expect(await copy({ maxBytes })).toMatchObject({
        code: "INVALID_INPUT",
        details: expect.stringMatching(/ENOSPC/),
      });
      expect(await readdir(small)).toEqual([]);
    } finally {
      execFileSync("umount", [small]);
    }
  });

  test("can be attached to", async () => {
    const { create } = await start(sh("read name; echo hello $name"), { stdin: true, tty: true });
    const container = await create();
    await using session = await container.attach({ stdin: true, tty: true });
    session.stdin.write("world\n");
    expect(await text(session.stdout as Readable)).toBe("hello world\n");
    await session.ended;
  });

  test("is reachable through ports of this machine", async () => {
    const server = createServer((_, response) => response.end("hello\n")).listen(0, "127.0.0.1");
    onTestFinished(() => void server.close());
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const { pod } = await start([]);
    await using listener = await pod.portForward(port).listen();
    const get = () => fetch(`http://127.0.0.1:${listener.address.port}/`).then((response) => response.text());
    expect(await Promise.all(Array.from({ length: 10 }, get))).toEqual(Array(10).fill("hello\n"));
  });

  test("does not outlive the runtime, nor do its children", async () => {
    const { runtime, create } = await start(sh("sleep 600 & echo $! $$; wait"));
    const container = await create();
    const pids: number[] = [];
    for await (const { text } of container.logs({ follow: true })) {
      pids.push(...text.split(" ").map(Number));
      break;
    }
    const session = await container.exec(sh("sleep 600 & echo $! $$; wait"));
    const [output] = await once(session.stdout as Readable, "data");
    pids.push(...String(output).trim().split(" ").map(Number));
    expect(await Promise.all(pids.map(isAlive))).toEqual(Array(4).fill(true));
    await runtime.stop();
    await expect.poll(() => Promise.all(pids.map(isAlive))).toEqual(Array(4).fill(false));
  });
});

describe("on an endpoint that other machines can reach", () => {
  /** Returns whether a fake with these options listens, and stops it. */
  async function listens(options: FakeRuntimeOptions): Promise<boolean> {
    const runtime = await FakeRuntime.start(options);
    onTestFinished(() => runtime.stop());
    return /:[1-9]\d*$/.test(runtime.endpoint);
  }

  test("host processes are rejected before anything listens", async () => {
    // The port is taken, so listening on it would fail with another error.
    const taken = createServer().listen(0, "0.0.0.0");
    onTestFinished(() => void taken.close());
    await once(taken, "listening");
    const endpoint = `http://0.0.0.0:${(taken.address() as AddressInfo).port}`;
    expect(await rejection(FakeRuntime.start({ endpoint, backend: new HostProcessBackend() }))).toMatchObject({
      code: "INVALID_INPUT",
      field: "endpoint",
      details: expect.stringContaining("lets other machines run commands on this one"),
    });
  });

  test("host processes are permitted by allowRemoteShell", async () => {
    const backend = new HostProcessBackend();
    expect(await listens({ endpoint: "http://0.0.0.0:0", backend, allowRemoteShell: true })).toBe(true);
  });

  test("host processes listen on loopback addresses, scripts anywhere", async () => {
    expect(await listens({ endpoint: "http://127.0.0.1:0", backend: new HostProcessBackend() })).toBe(true);
    expect(await listens({ endpoint: "http://0.0.0.0:0" })).toBe(true);
  });
});
