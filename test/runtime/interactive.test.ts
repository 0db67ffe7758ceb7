/** execInteractive() and attachInteractive(), with a pair of streams as the terminal. */
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { eventually } from "./helpers/expectations.js";
import { waitForProcesses } from "./helpers/in-container.js";
import { journeys, sh, uniqueSeconds } from "./helpers/journeys.js";

journeys("interactive", (fixture) => {
  const keyboard = () => Object.assign(new PassThrough(), { isTTY: true, isRaw: false, setRawMode: () => {} });

  test("a shell keeps running after the detach keys, and returns its exit code when it exits", async () => {
    const container = await fixture.sharedContainer();
    const [input, output] = [keyboard(), Object.assign(new PassThrough(), { columns: 99, rows: 33 })];
    let seen = "";
    output.on("data", (chunk: Buffer) => {
      seen += chunk.toString();
    });
    const detached = container.execInteractive(["sh"], { input, output });
    const seconds = uniqueSeconds();
    input.write(`until stty size | grep '33 99'; do sleep 0.1; done; sleep ${seconds} & echo started\n`);
    await eventually(
      () => seen,
      (output) => output.includes("33 99\r\n") && output.includes("\nstarted"),
    );
    input.write("\x10\x11");
    expect(await detached).toEqual({ detached: true });
    await waitForProcesses(container, `sleep ${seconds}`, 1);

    const ended = container.execInteractive(["sh"], { input, output });
    input.write("printf '\\033[?1049h'; exit 4\n");
    expect(await ended).toEqual({ detached: false, exitCode: 4 });
    // The shell exited on the alternate screen, so the client must restore the main screen.
    expect(seen.split("\x1b[?1049h").at(-1)).toMatch(/\[\?1049l$/);
  });

  test("a shell exits at the end of the terminal's input", async () => {
    const container = await fixture.sharedContainer();
    const [input, output] = [keyboard(), new PassThrough().resume()];
    input.end("false\n");
    expect(await container.execInteractive(["sh"], { input, output })).toEqual({ detached: false, exitCode: 1 });
  });

  test("the main process keeps running after the detach keys, and can be attached to again", async () => {
    const command = sh("while read line; do echo got $line; test $line != end || exit 8; done");
    await using container = await fixture.container(await fixture.sharedPod(), { command, stdin: true, tty: true });
    const [input, output] = [keyboard(), new PassThrough()];
    let seen = "";
    output.on("data", (chunk: Buffer) => {
      seen += chunk.toString();
    });
    const detached = container.attachInteractive({ input, output });
    // containerd forwards input before it subscribes to the output, so the first output may be lost.
    await eventually(
      () => {
        input.write("one\n");
        return seen;
      },
      (output) => output.includes("got one"),
    );
    input.write("\x10\x11");
    expect(await detached).toEqual({ detached: true });
    const ended = container.attachInteractive({ input, output });
    input.write("end\n");
    expect(await ended).toEqual({ detached: false });
    expect((await container.wait()).exitCode).toBe(8);
  });
});
