/** exec, attach, logs, cp and top in a pseudo-terminal, as a person uses them. */
import { execFileSync, spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { mkdir, mkdtemp, readdir, realpath, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { HostProcessBackend, type Program } from "../../../src/testing/index.js";
import { enter, expectRestored, openShell } from "../../support/built-cli.js";
import { startFake } from "../support.js";

// Programs start slowly on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

/** A shell that edits its own lines, as real ones do: it knows `size`, `exit CODE` and `full`, and prints other words. */
const shell: Program = async ({ stdin, stdout, sizes, tty }) => {
  let [size, line] = ["", ""];
  void (async () => {
    for await (const { columns, rows } of sizes) size = `${columns}x${rows}`;
  })();
  stdout.write(`tty ${tty} $ `);
  for await (const chunk of stdin) {
    for (const key of String(chunk)) {
      if (key === "\x03") stdout.write("^C\r\n$ ");
      if (key < " " && key !== "\r") continue;
      if (key !== "\r") {
        line += key;
        stdout.write(key);
        continue;
      }
      const [word, code] = line.split(" ");
      line = "";
      if (word === "exit") return Number(code);
      if (word === "full") stdout.write("\x1b[?1049h\x1b[?25l");
      stdout.write(`\r\nanswer ${word === "size" ? size : word}\r\n$ `);
    }
  }
  return 0;
};

async function start() {
  const { runtime, cri } = await startFake({ exec: () => shell });
  const pod = await cri.pods.run({ name: "web" });
  const container = await pod.runContainer({ name: "main", image: "busybox:1", stdin: true, tty: true });
  return { runtime, cri, pod, container };
}

test("exec -it: keys, ctrl-c and sizes reach the command, and its exit code is returned", async () => {
  const { runtime } = await start();
  await using terminal = await openShell(runtime.endpoint, { columns: 91, rows: 33 });
  await enter(terminal, "k8s-cri-client exec -it main -- sh; echo code $?");
  await terminal.waitFor("tty true $");
  terminal.type("hello\r");
  await terminal.waitFor("answer hello");
  terminal.type("\x03");
  await terminal.waitFor("^C");
  await expect
    .poll(() => {
      terminal.type("size\r");
      return terminal.text;
    })
    .toContain("answer 91x33");
  terminal.resize(70, 20);
  await expect
    .poll(() => {
      terminal.type("size\r");
      return terminal.text;
    })
    .toContain("answer 70x20");
  terminal.type("full\r");
  await terminal.waitUntil(() => terminal.isAlternateScreen, "alternate screen");
  terminal.type("exit 7\r");
  await terminal.waitFor("code 7");
  await expectRestored(terminal);
});

test("exec -it: the detach keys, or a signal, end the session only", async () => {
  const { runtime } = await start();
  await using terminal = await openShell(runtime.endpoint);
  await enter(terminal, "k8s-cri-client exec -it main -- sh; echo code $?");
  await terminal.waitFor("tty true $");
  terminal.type("\x10\x11");
  await terminal.waitFor(/Detached\. The command continues to run\.\s+code 0/);
  await expectRestored(terminal);
  await enter(terminal, "k8s-cri-client exec -it main -- sh; echo again $?");
  await expect.poll(() => terminal.text.match(/tty true/g)).toHaveLength(2);
  execFileSync("pkill", ["-TERM", "-P", String(terminal.pid)]);
  await terminal.waitFor("again 143");
  await expectRestored(terminal);
});

test("exec without -t: ctrl-c ends the session with 130", async () => {
  const { runtime } = await start();
  await using terminal = await openShell(runtime.endpoint);
  await enter(terminal, "k8s-cri-client exec -i main -- sh; echo code $?");
  await terminal.waitFor("tty false $");
  terminal.type("\x03");
  await terminal.waitFor("code 130");
  await expectRestored(terminal);
});

test("exec --kill: ctrl-c ends the command, which otherwise continues", async () => {
  const { runtime, cri } = await startFake({ backend: new HostProcessBackend() });
  const pod = await cri.pods.run({ name: "web" });
  await pod.runContainer({ name: "main", image: "busybox:1", command: ["sleep", "600"] });
  await using terminal = await openShell(runtime.endpoint);
  for (const [option, continues] of [
    ["--kill", false],
    ["", true],
  ] as const) {
    const seconds = randomInt(100_000, 1_000_000);
    const isRunning = () => spawnSync("pgrep", ["-f", `^sleep ${seconds}$`]).status === 0;
    await enter(
      terminal,
      `k8s-cri-client exec ${option} main -- sh -c "echo up; sleep ${seconds}; true"; echo ${seconds} $?`,
    );
    await expect.poll(isRunning, { timeout: 60_000 }).toBe(true);
    terminal.type("\x03");
    await terminal.waitFor(`${seconds} 130`);
    expect({ option, isRunning: isRunning() }).toEqual({ option, isRunning: continues });
  }
  await expectRestored(terminal);
});

test("attach -i: the process has a terminal, and continues after the detach keys", async () => {
  const { runtime, cri } = await startFake({ backend: new HostProcessBackend() });
  const pod = await cri.pods.run({ name: "web" });
  const command = ["sh", "-c", 'while read word code; do echo answer $word; test "$word" != exit || exit $code; done'];
  await pod.runContainer({ name: "main", image: "busybox:1", command, stdin: true, tty: true });
  await using terminal = await openShell(runtime.endpoint);
  await enter(terminal, "k8s-cri-client attach -i main; echo code $?");
  await terminal.waitFor("Press Enter if you see no prompt");
  await expect
    .poll(() => {
      terminal.type("one\n");
      return terminal.text;
    })
    .toContain("answer one");
  terminal.type("\x10\x11");
  await terminal.waitFor(/Detached\. The container continues to run\.\s+code 0/);
  await enter(terminal, "k8s-cri-client attach -i main; echo again $?");
  await expect.poll(() => terminal.text.match(/Press Enter/g)).toHaveLength(2);
  terminal.type("\nexit 5\n");
  await terminal.waitFor("again 5");
  await expectRestored(terminal);
});

test("logs -f: shows new lines in colours until ctrl-c", async () => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "cli-")));
  onTestFinished(() => rm(folder, { recursive: true }));
  const { runtime, cri } = await startFake({ backend: new HostProcessBackend() });
  const pod = await cri.pods.run({ name: "web", logDirectory: folder });
  const command = ["sh", "-c", "i=0; while :; do i=$((i + 1)); echo line $i; sleep 0.2; done"];
  for (const name of ["a", "b"]) await pod.runContainer({ name, image: "busybox:1", command });
  await using terminal = await openShell(runtime.endpoint);
  await enter(terminal, "k8s-cri-client logs -f web; echo code $?");
  await terminal.waitFor(/web\/a line 5\n[\s\S]*web\/a line 7/);
  await terminal.waitFor("web/b line 7");
  expect(terminal.output).toMatch(new RegExp(`${"\x1b"}\\[3\\dmweb/a`));
  terminal.type("\x03");
  await terminal.waitFor("code 130");
  await expectRestored(terminal);
});

test("cp: shows its progress on the terminal", async () => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "cli-")));
  onTestFinished(() => rm(folder, { recursive: true }));
  const { runtime, cri } = await startFake({ backend: new HostProcessBackend() });
  const pod = await cri.pods.run({ name: "web" });
  await pod.runContainer({ name: "main", image: "busybox:1", command: ["sleep", "600"] });
  await mkdir(join(folder, "there"));
  await writeFile(join(folder, "big"), Buffer.alloc(60 * 2 ** 20));
  await using terminal = await openShell(runtime.endpoint);
  await enter(terminal, `k8s-cri-client cp ${folder}/big main:${folder}/there; echo code $?`);
  await terminal.waitFor(/big: copied 1 entry, 62\.9MB in \d+\.\d s\s+code 0/);
  expect(terminal.output).toMatch(/big: 1 entry, \d+(\.\d+)?[kM]B, \d+(\.\d+)?[kM]B\/s/);
});

test("cp: ctrl-c leaves nothing, on either side", async () => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "cli-")));
  onTestFinished(() => rm(folder, { recursive: true }));
  const { runtime, cri } = await startFake({ backend: new HostProcessBackend() });
  const pod = await cri.pods.run({ name: "web" });
  await pod.runContainer({ name: "main", image: "busybox:1", command: ["sleep", "600"] });
  for (const name of ["site", "there", "here"]) await mkdir(join(folder, name));
  await writeFile(join(folder, "site/index"), "hello\n");
  // Without blocks, and far larger than what is copied before ctrl-c.
  await writeFile(join(folder, "site/large"), "");
  await truncate(join(folder, "site/large"), 4 * 2 ** 30);
  await using terminal = await openShell(runtime.endpoint);
  for (const [source, destination, empty] of [
    [`${folder}/site/large`, `main:${folder}/there`, "there"],
    [`${folder}/site`, `main:${folder}/there`, "there"],
    [`main:${folder}/site/large`, `${folder}/here`, "here"],
    [`main:${folder}/site`, `${folder}/here`, "here"],
  ] as const) {
    const check = `check${randomInt(1_000_000)}`;
    const shown = terminal.output.length;
    await enter(terminal, `k8s-cri-client cp ${source} ${destination}; echo ${check} $?`);
    await terminal.waitUntil(() => /: \d+ entr.*MB\/s/.test(terminal.output.slice(shown)), "progress");
    terminal.type("\x03");
    await terminal.waitFor(`${check} 130`);
    expect({ source, left: await readdir(join(folder, empty)) }).toEqual({ source, left: [] });
    expect(terminal.screen).not.toMatch(/\d+ entr/);
  }
  await expectRestored(terminal);
});

test("top: redraws in place, sorts by keys, fits the window, and restores the terminal", async () => {
  const { runtime, cri, pod } = await start();
  const [a, b] = [
    await pod.runContainer({ name: "aaa", image: "busybox:1" }),
    await (await cri.pods.run({ name: "xyz" })).runContainer({ name: "bbb", image: "busybox:1" }),
  ];
  expect(a.id).not.toBe(b.id);
  await using terminal = await openShell(runtime.endpoint, { columns: 110, rows: 12 });
  await enter(terminal, "k8s-cri-client top -d 200ms; echo code $?");
  await terminal.waitFor(/3 containers in 2 pods, .* sorted by cpu/);
  expect(terminal.isAlternateScreen).toBe(true);
  terminal.type("n");
  await terminal.waitFor(/sorted by name[\s\S]* aaa [\s\S]* bbb [\s\S]* main /);
  // Rates appear from the second measurement on, in the same place.
  await terminal.waitFor(/ main +\d+\.\d /);
  expect(terminal.screen.match(/CONTAINER +NAME/g)).toHaveLength(1);
  terminal.resize(60, 5);
  await terminal.waitUntil(() => terminal.screen.split("\n").length <= 5 && !terminal.screen.includes(" main "), "fit");
  terminal.type("q");
  await terminal.waitFor("code 0");
  await expectRestored(terminal);
  terminal.resize(110, 12);
  await enter(terminal, "clear; k8s-cri-client top; echo again $?");
  await terminal.waitFor("sorted by");
  terminal.type("\x03");
  await terminal.waitFor("again 0");
  await expectRestored(terminal);
  expect(terminal.screen).not.toContain("sorted by");
});
