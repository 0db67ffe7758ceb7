/** doctor, run, wait and events as a person uses them: in a pseudo-terminal, with ctrl-c, and in pipes. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import type { ContainerScript } from "../../../src/testing/index.js";
import { enter, expectRestored, openCli, openShell, runInShell } from "../../support/built-cli.js";
import { startFake } from "../support.js";
import { forever, startRunNode } from "./run-node.js";

// Programs start slowly on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const green = (text: string) => `\x1b[32m${text}\x1b[39m`;
const dim = "\x1b[2m";
const controlSequence = "\x1b[";

/** A container that writes lines until it is stopped. */
const chatter = (): ContainerScript => ({
  program: async ({ stdout, signal }) => {
    for (let count = 1; !signal.aborted; count++) {
      stdout.write(`line ${count}\n`);
      await setTimeout(20);
    }
    return 0;
  },
});

/** The signals that a process catches, as a bit mask: bit 0 is SIGHUP, which Node.js itself does not catch. */
async function caughtSignals(pid: number): Promise<bigint> {
  const [, mask = "0"] = /^SigCgt:\s*(\w+)$/m.exec(await readFile(`/proc/${pid}/status`, "utf8")) ?? [];
  return BigInt(`0x${mask}`);
}

describe("doctor", () => {
  test("has colours on a terminal only, and not with NO_COLOR", async () => {
    const { runtime } = await startFake();
    await using shell = await openShell(runtime.endpoint, { columns: 160 });
    await enter(shell, "k8s-cri-client doctor; echo code $?");
    await shell.waitFor(/ skipped\s+code \d/);
    expect(shell.output).toContain(`${green("✓")} server `);
    expect(shell.text).toMatch(/code [01]/);
    await using plain = await openCli(["doctor"], runtime.endpoint, { columns: 160, env: { NO_COLOR: "1" } });
    const { exitCode } = await plain.exit();
    expect(plain.output).toMatch(/^✓ server /m);
    expect(plain.output).not.toContain(controlSequence);
    expect(shell.text).toContain(`code ${exitCode}`);
    const piped = await runInShell("k8s-cri-client doctor | cat", runtime.endpoint);
    expect([piped.stderr, String(piped.stdout)]).toEqual(["", expect.not.stringContaining(controlSequence)]);
    const forced = await runInShell("FORCE_COLOR=1 k8s-cri-client doctor | cat", runtime.endpoint);
    expect(String(forced.stdout)).toContain(`${green("✓")} server `);
    const head = await runInShell("k8s-cri-client doctor | head -n 1", runtime.endpoint);
    expect([String(head.stdout), head.stderr]).toEqual([expect.stringMatching(/^. program .*\n$/), ""]);
  });

  test("--deep: ctrl-c removes the pod and the image, and exits with 130", async () => {
    const { runtime } = await startFake();
    runtime.hangNext("ExecSync");
    const executing = runtime.nextCall("ExecSync");
    await using shell = await openShell(runtime.endpoint);
    await enter(shell, "k8s-cri-client doctor --deep --image registry.example/tool:1; echo code $?");
    await executing;
    shell.type("\x03");
    await shell.waitFor("code 130");
    expect(runtime.pods).toEqual([]);
    expect(runtime.images.flatMap(({ repoTags }) => repoTags)).not.toContain("registry.example/tool:1");
    await expectRestored(shell);
  });
});

describe("run", () => {
  test("shows what happens on a terminal; ctrl-c stops and removes the pod", async () => {
    const { endpoint, options, file, left } = await startRunNode({ run: chatter });
    const path = await file("web.yaml", forever);
    await using shell = await openShell(endpoint, { columns: 160 });
    await enter(shell, `k8s-cri-client run ${options.join(" ")} -f ${path}; echo code $?`);
    await shell.waitFor(/web\/main: Started: [\s\S]*^line 2$/m);
    expect(shell.output).toContain(`${dim}web/main: Started: `);
    shell.type("\x03");
    await shell.waitFor(/Stopping and removing the pods\. [\s\S]*code 130/);
    expect(await left()).toEqual([0, 0]);
    await expectRestored(shell);
    await using plain = await openCli(["run", ...options, "-f", path], endpoint, { env: { NO_COLOR: "1" } });
    await plain.waitFor(/web\/main: Started: [\s\S]*line 2/);
    expect(plain.output).not.toContain(controlSequence);
    plain.type("\x03");
    expect(await plain.exit()).toEqual({ exitCode: 130, signal: 0 });
    expect(await left()).toEqual([0, 0]);
  });

  test("a second ctrl-c leaves the pod as it is", async () => {
    const { runtime, endpoint, options, file } = await startRunNode();
    runtime.hangNext("StopContainer", { times: Number.POSITIVE_INFINITY });
    await using terminal = await openCli(["run", ...options, "-f", await file("web.yaml", forever)], endpoint);
    await terminal.waitFor("web/main: Started: ");
    const stopping = runtime.nextCall("StopContainer");
    terminal.type("\x03");
    await stopping;
    terminal.type("\x03");
    expect(await terminal.exit()).toMatchObject({ signal: 2 });
    expect(runtime.pods).toHaveLength(1);
  });

  test("a terminal that closes removes the pod, even if SIGHUP arrives twice", async () => {
    const { runtime, endpoint, options, file, left } = await startRunNode();
    runtime.delayNext("StopContainer", 1_000);
    await using terminal = await openCli(["run", ...options, "-f", await file("web.yaml", forever)], endpoint);
    await terminal.waitFor("web/main: Started: ");
    const stopping = runtime.nextCall("StopContainer");
    terminal.signal("SIGHUP");
    await stopping;
    terminal.signal("SIGHUP");
    expect(await terminal.exit()).toEqual({ exitCode: 129, signal: 0 });
    expect(await left()).toEqual([0, 0]);
  });

  test("ctrl-c during a pull leaves nothing", async () => {
    const { runtime, endpoint, options, file, left } = await startRunNode();
    runtime.hangNext("PullImage");
    const pulling = runtime.nextCall("PullImage");
    const path = await file("web.yaml", forever.replace("busybox:1", "registry.example/app:1"));
    await using terminal = await openCli(["run", ...options, "-f", path], endpoint);
    await pulling;
    terminal.type("\x03");
    expect(await terminal.exit()).toEqual({ exitCode: 130, signal: 0 });
    expect(await left()).toEqual([0, 0]);
  });

  // With 2>&1, messages of the clean-up have no reader either.
  test.each([
    ["| head -n 1", /^Stopping and removing the pods\. .*\n$/],
    ["2>&1 | head -n 1", /^$/],
  ])("removes the pod when the reader of its output has gone: %s", async (pipe, notes) => {
    const { endpoint, options, file, left } = await startRunNode({ run: chatter });
    const path = await file("web.yaml", forever);
    const { stdout, stderr } = await runInShell(`k8s-cri-client run ${options.join(" ")} -f ${path} ${pipe}`, endpoint);
    expect([String(stdout), stderr]).toEqual(["line 1\n", expect.stringMatching(notes)]);
    expect(await left()).toEqual([0, 0]);
  });

  test.skipIf(!existsSync("/dev/full"))("removes the pod when its output cannot be written", async () => {
    const { endpoint, options, file, left } = await startRunNode({ run: chatter });
    const line = `k8s-cri-client run ${options.join(" ")} -f ${await file("web.yaml", forever)} > /dev/full`;
    const { exitCode, stderr } = await runInShell(line, endpoint);
    expect([exitCode, stderr]).toEqual([125, expect.stringContaining("the output cannot be written: ENOSPC")]);
    expect(await left()).toEqual([0, 0]);
  });

  test("reads a manifest that is typed, and ctrl-c ends the reading", async () => {
    const { endpoint, options, left } = await startRunNode();
    const manifest = "{ apiVersion: v1, kind: Pod, metadata: { name: typed }, spec: { restartPolicy: Never,";
    const containers = 'containers: [{ name: main, image: "busybox:1", command: [echo, hello] }] } }';
    await using typing = await openCli(["run", ...options, "-q", "-f", "-"], endpoint, { columns: 160 });
    typing.type(`${manifest}\n${containers}\n\x04`);
    await typing.waitFor(/^hello$/m);
    expect(await typing.exit()).toEqual({ exitCode: 0, signal: 0 });
    expect(await left()).toEqual([0, 0]);
    await using reading = await openCli(["run", ...options, "-f", "-"], endpoint);
    await expect.poll(async () => (await caughtSignals(reading.pid)) & 1n).toBe(1n);
    reading.type("\x03");
    expect(await reading.exit()).toEqual({ exitCode: 130, signal: 0 });
  });
});

describe("wait", () => {
  test("waits until ctrl-c, the exit or the limit, and exits accordingly", async () => {
    const { runtime, cri } = await startFake();
    const pod = await cri.pods.run({ name: "web" });
    const main = await pod.runContainer({ name: "main", image: "busybox:1" });
    await using shell = await openShell(runtime.endpoint);
    let waiting = runtime.nextCall("ContainerStatus");
    await enter(shell, "k8s-cri-client wait web/main; echo first $?");
    await waiting;
    shell.type("\x03");
    await shell.waitFor("first 130");
    await expectRestored(shell);
    expect(await main.state()).toBe("running");
    await enter(shell, "k8s-cri-client wait web/main --timeout 300ms; echo second $?");
    await shell.waitFor(/k8s-cri-client: [\s\S]*second 124/);
    waiting = runtime.nextCall("ContainerStatus");
    await enter(shell, "k8s-cri-client wait web/main; echo third $?");
    await waiting;
    await main.stop({ gracePeriodSeconds: 0 });
    await shell.waitFor(/^137\nthird 137$/m);
    const piped = await runInShell("k8s-cri-client wait web/main | cat", runtime.endpoint);
    expect([String(piped.stdout), piped.stderr]).toEqual(["137\n", ""]);
  });
});

describe("events", () => {
  test("follows until ctrl-c, or until its reader has gone", async () => {
    const { runtime, cri } = await startFake();
    await using shell = await openShell(runtime.endpoint, { columns: 160 });
    await enter(shell, "k8s-cri-client events --initial; echo code $?");
    await shell.waitFor(/resync +initial: 0 pods, 0 containers/);
    const pod = await cri.pods.run({ name: "web", namespace: "shop" });
    await shell.waitFor(/podAdded +shop\/web$/m);
    shell.type("\x03");
    await shell.waitFor("code 130");
    await expectRestored(shell);
    let hasEnded = false;
    const piped = runInShell("k8s-cri-client events --initial -o json | head -n 1", runtime.endpoint).finally(() => {
      hasEnded = true;
    });
    // An event whose line has no reader ends the command.
    for (let attempt = 0; !hasEnded; attempt++) {
      await (await pod.runContainer({ name: "main", image: "busybox:1", attempt })).remove();
      await setTimeout(50);
    }
    const { stdout, stderr } = await piped;
    expect(JSON.parse(String(stdout))).toMatchObject({ type: "resync", reason: "initial" });
    expect(stderr).toBe("");
  });
});
