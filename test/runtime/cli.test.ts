/** The command `k8s-cri-client` as a person uses it on a node: in a pseudo-terminal, and in pipes. */
import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { enter, expectRestored, openShell, type Piped, runInShell } from "../support/built-cli.js";
import { eventually } from "./helpers/expectations.js";
import { folder } from "./helpers/folder.js";
import { journeys, sh } from "./helpers/journeys.js";
import { freePort } from "./lab/registry.js";

journeys("cli", (fixture) => {
  const run = (line: string, input?: Uint8Array): Promise<Piped> => runInShell(line, fixture.runtime.endpoint, input);
  const open = () => openShell(fixture.runtime.endpoint, { columns: 91, rows: 33 });

  test("exec -it: a shell has the size of the terminal, ctrl-c reaches its command, and its exit code is returned", async () => {
    const { id } = await fixture.sharedContainer();
    await using terminal = await open();
    await enter(terminal, `k8s-cri-client exec -it ${id} -- sh; echo code $?`);
    await terminal.waitFor(/[#$] $|[#$]$/);
    terminal.type("until stty size | grep '33 91'; do sleep 0.1; done\r");
    await terminal.waitFor("\n33 91\n");
    terminal.resize(70, 20);
    terminal.type("until stty size | grep '20 70'; do sleep 0.1; done\r");
    await terminal.waitFor("\n20 70\n");
    // A shell of its own says so: it speaks as the terminal's foreground job, which ctrl-c is for. What the interactive
    // shell itself says comes before it has started its next command, and ctrl-c would then be for the shell.
    terminal.type("sh -c 'echo slee\"\"ping; exec sleep 1000'\r");
    await terminal.waitFor("\nsleeping");
    terminal.type("\x03");
    terminal.type("echo in''terrupted\r");
    await terminal.waitFor("\ninterrupted");
    terminal.type("printf '\\033[?1049h'; exit 7\r");
    await terminal.waitFor("code 7");
    await expectRestored(terminal);
  });

  test("exec: bytes pass through pipes unchanged, and exit codes are those of the command", async () => {
    const { id } = await fixture.sharedContainer();
    const bytes = randomBytes(2 ** 20);
    const { exitCode, stdout, stderr } = await run(`k8s-cri-client exec -i ${id} -- tee /dev/null | cat`, bytes);
    expect({ exitCode, stderr, isEqual: stdout.equals(bytes) }).toEqual({ exitCode: 0, stderr: "", isEqual: true });
    expect(await run(`k8s-cri-client exec ${id} -- sh -c 'exit 9'`)).toMatchObject({ exitCode: 9, stderr: "" });
    expect(await run(`k8s-cri-client exec ${id} -- no-such-program`)).toMatchObject({ exitCode: 127 });
    const head = await run(`k8s-cri-client exec ${id} -- yes | head -n 1`);
    expect({ stdout: String(head.stdout), stderr: head.stderr }).toEqual({ stdout: "y\n", stderr: "" });
  });

  test("logs -f and attach: new lines until ctrl-c, and the detach keys", async () => {
    await using at = await folder();
    const pod = await fixture.hostNetworkPod({ logDirectory: at.path });
    await using _ = pod;
    const command = sh('while read line; do echo "got $line"; test "$line" != end || exit 8; done');
    const { id } = await fixture.container(pod, { command, stdin: true, tty: true });
    await using followed = await open();
    await enter(followed, `k8s-cri-client logs -f ${id}; echo code $?`);
    await using terminal = await open();
    await enter(terminal, `k8s-cri-client attach -i ${id}; echo code $?`);
    await terminal.waitFor("Press Enter if you see no prompt");
    await eventually(
      () => {
        terminal.type("one\r");
        return terminal.text;
      },
      (text) => text.includes("got one"),
    );
    await followed.waitFor("got one");
    followed.type("\x03");
    await followed.waitFor("code 130");
    await expectRestored(followed);
    terminal.type("\x10\x11");
    await terminal.waitFor(/Detached[\s\S]*code 0/);
    await enter(terminal, `k8s-cri-client attach -i ${id}; echo again $?`);
    await eventually(
      () => terminal.text.match(/Press Enter/g),
      (found) => found?.length === 2,
    );
    terminal.type("end\r");
    await terminal.waitFor("again 8");
    await expectRestored(terminal);
  });

  test("cp: copies in both directions and through pipes", async () => {
    await using at = await folder();
    await using here = await folder();
    const pod = await fixture.sharedPod();
    const { id } = await fixture.container(pod, at.inside);
    const bytes = randomBytes(2 ** 20);
    await mkdir(join(here.path, "site"));
    await writeFile(join(here.path, "site/index"), bytes);
    const done = { exitCode: 0, stderr: "" };
    expect(await run(`k8s-cri-client cp ${here.path}/site ${id}:${at.path}`)).toMatchObject(done);
    expect((await readFile(join(at.path, "site/index"))).equals(bytes)).toBe(true);
    expect(await run(`k8s-cri-client cp ${id}:${at.path}/site ${here.path}/back/`)).toMatchObject(done);
    expect((await readFile(join(here.path, "back/site/index"))).equals(bytes)).toBe(true);
    const line = `k8s-cri-client cp ${id}:${at.path}/site - | tar -tf -`;
    expect(String((await run(line)).stdout)).toMatch(/index\n/);
  });

  test("top and stats: a screen that is restored, a table, and the runtime's messages", async () => {
    const pod = await fixture.sharedPod();
    const container = await fixture.sharedContainer();
    await using terminal = await open();
    await enter(terminal, `k8s-cri-client top -d 500ms ${pod.id}; echo code $?`);
    await terminal.waitFor(new RegExp(`${container.id.slice(0, 13)} .* \\d+\\.\\d `));
    expect(terminal.isAlternateScreen).toBe(true);
    terminal.type("q");
    await terminal.waitFor("code 0");
    await expectRestored(terminal);
    const { stdout } = await run(`k8s-cri-client stats -o json ${container.id}`);
    expect(JSON.parse(String(stdout)).stats).toMatchObject([{ attributes: { id: container.id } }]);
  });

  test("port-forward: forwards until ctrl-c", async () => {
    const port = await freePort();
    await using at = await folder();
    const pod = await fixture.pod();
    await using _ = pod;
    await fixture.container(pod, {
      ...at.inside,
      command: sh(`echo hello > hello && exec httpd -f -p ${port} -h ${at.path}`),
    });
    await using terminal = await open();
    await enter(terminal, `k8s-cri-client port-forward ${pod.id} :${port}; echo code $?`);
    await terminal.waitFor(/Forwarding from 127\.0\.0\.1:\d+/);
    const [, local] = /127\.0\.0\.1:(\d+)/.exec(terminal.text) ?? [];
    await eventually(
      () => fetch(`http://127.0.0.1:${local}/hello`).then((reply) => reply.text(), String),
      (reply) => reply === "hello\n",
    );
    terminal.type("\x03");
    await terminal.waitFor("code 130");
  });
});
