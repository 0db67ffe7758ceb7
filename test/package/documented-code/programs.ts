/**
 * Accompanies programs of the pages that need arguments, something to work on, or a signal to end.
 *
 * @module
 */
import assert from "node:assert/strict";
import { access } from "node:fs/promises";
import { printed, untilPrinted } from "./running.js";
import type { Scene } from "./scene.js";

/** Runs a program, possibly several times: `start` resolves when it has ended. By its name. */
export const programs: Readonly<Record<string, (start: () => Promise<void>, scene: Scene) => Promise<void>>> = {
  "recipes-ci-job-1": async (start, { folder }) => {
    await start();
    assert.equal(process.exitCode, 3);
    process.exitCode = undefined;
    await access(`${folder}/report.txt`);
  },
  "recipes-log-shipper-1": async (start, scene) => {
    await using pod = await scene.pod();
    await using _writer = await scene.container(pod, "$n");
    const run = () => printed(() => Promise.all([start(), untilPrinted(/^\{.*\n.*\n/).then(terminate)]));
    const lines = [...(await run()), ...(await run())].map((line) => Number(JSON.parse(line).text));
    assert.ok(lines.length >= 4);
    assert.deepEqual(
      lines,
      lines.map((_, index) => index),
      "a line was lost or repeated",
    );
  },
  "recipes-node-agent-1": async (start, scene) => {
    await using pod = await scene.pod();
    await using _noisy = await scene.container(pod, "ready >&2");
    const topics = ["node", "exit", "usage", "stderr"].map((topic) => untilPrinted(new RegExp(`"topic":"${topic}"`)));
    await printed(() =>
      Promise.all([
        start(),
        topics[0]!.then(async () => {
          await using _short = await pod.runContainer({ name: "short", image: scene.image, command: ["true"] });
          await Promise.all(topics);
          terminate();
        }),
      ]),
    );
  },
  "recipes-debug-tool-1": async (start, scene) => {
    await using pod = await scene.pod();
    await using _target = await scene.container(pod);
    const lines = await printed(start);
    assert.match(lines[0] ?? "", /^http:\/\/127\.0\.0\.1:\d+ is forwarded to port 80 of web\.$/);
    assert.equal(lines[1], "The shell exited with code 0.");
    assert.equal((await pod.containers()).length, 1);
  },
  "recipes-clean-up-1": async (start, scene) => {
    const logs = ["--logs", scene.folder, "--minutes", "0"];
    const pod = (await scene.pod()).release();
    const { id } = (await pod.runContainer({ name: "job", image: scene.image, command: ["true"] })).release();
    await scene.cri.containers.get(id).wait();
    await pod.stop();
    assert.deepEqual((await printed(() => withArguments(logs, start))).slice(0, 1), ["would remove container job"]);
    assert.equal((await scene.cri.containers.list({ id })).length, 1);
    if (scene.runtime) {
      const removed = await printed(() => withArguments([...logs, "--yes"], start));
      assert.deepEqual(removed.slice(0, 2), ["removed container job", "removed pod default/web"]);
      assert.deepEqual([scene.runtime.pods, scene.runtime.containers], [[], []]);
    } else await pod.remove(); // other tests use the images of a real runtime
    assert.equal(process.exitCode, 0);
  },
};

const terminate = (): boolean => process.emit("SIGTERM", "SIGTERM");

async function withArguments(values: readonly string[], start: () => Promise<void>): Promise<void> {
  process.argv.splice(2, Infinity, ...values);
  await start().finally(() => process.argv.splice(2));
}
