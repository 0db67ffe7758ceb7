/** The command as a person uses it: in a pseudo-terminal, and in pipes. */
import { existsSync } from "node:fs";
import { expect, test, vi } from "vitest";
import { enter, openShell, prompt, runInShell } from "../../support/built-cli.js";
import { startFake } from "../support.js";

// Programs start slowly on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

test("colours, the width of the terminal and the exit code are those of a terminal", async () => {
  const { runtime } = await startFake();
  await using shell = await openShell(runtime.endpoint, { columns: 60 });
  await enter(shell, "k8s-cri-client ps && stty size");
  await shell.waitFor(/CONTAINER +NAME[\s\S]*\b30 60\n/);
  await enter(shell, "k8s-cri-client nonsense; echo code $?");
  await shell.waitFor(/unknown command 'nonsense'[\s\S]*code 2/);
  shell.resize(90, 20);
  await enter(shell, "stty size");
  await shell.waitFor("20 90");
  await enter(shell, "exit 3");
  expect(await shell.exit()).toEqual({ exitCode: 3, signal: 0 });
  expect(shell.text).toContain(prompt);
});

test("writes results to a pipe without colours", async () => {
  const { runtime } = await startFake();
  const { exitCode, stdout, stderr } = await runInShell("k8s-cri-client ps -o json | cat", runtime.endpoint);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(JSON.parse(stdout.toString())).toEqual({ containers: [] });
});

test.skipIf(!existsSync("/dev/full"))("fails with a message if the output cannot be written", async () => {
  const { runtime } = await startFake();
  for (const command of ["ps", "completion bash"]) {
    const { exitCode, stderr } = await runInShell(`k8s-cri-client ${command} > /dev/full`, runtime.endpoint);
    expect({ command, exitCode, stderr }).toEqual({
      ...{ command, exitCode: 1 },
      stderr: expect.stringMatching(/^k8s-cri-client: the output cannot be written: ENOSPC.*\n$/),
    });
  }
});
