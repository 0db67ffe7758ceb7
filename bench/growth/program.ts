/**
 * The measured program: it watches pods, follows logs or keeps sessions open, and otherwise does nothing.
 *
 *     node growth.js watch ENDPOINT
 *     node growth.js sessions ENDPOINT COUNT
 *     node growth.js logs FOLDER COUNT
 *
 * Answers each line of its input with the number of objects as JSON, once they are ready. Exits when the input ends.
 *
 * @module
 */
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { CriClient, readLogFile } from "k8s-cri-client";

const [kind = "", where = "", given = ""] = process.argv.slice(2);
const count = Number(given);
const stop = new AbortController();
const { signal } = stop;

/** Resolves with a function that counts the objects. */
async function open(): Promise<() => number> {
  if (kind === "logs") {
    await Promise.all(Array.from({ length: count }, (_, index) => follow(join(where, String(index), "0.log"))));
    return () => count;
  }
  const cri = await CriClient.connect({ endpoint: where });
  signal.addEventListener("abort", () => cri.close());
  if (kind === "watch") {
    const view = cri.watch();
    await view.ready;
    return () => view.pods.size;
  }
  const [container] = await cri.containers.list();
  if (!container) throw new Error("the runtime has no container");
  const sessions = Array.from({ length: count }, async () => {
    const session = await cri.containers.get(container).exec(["sleep", "1000000"]);
    session.stdout?.resume();
    session.stderr?.resume();
  });
  await Promise.all(sessions);
  return () => count;
}

/** Follows a log. Resolves when its reader waits for lines. */
async function follow(path: string): Promise<void> {
  const waits = new EventTarget();
  const waiting = once(waits, "waits");
  const lines = readLogFile(path, { follow: true, signal, onWait: () => void waits.dispatchEvent(new Event("waits")) });
  void (async () => {
    for await (const _ of lines);
  })().catch(() => {});
  await waiting;
}

const ready = open();
for await (const _ of createInterface({ input: process.stdin }))
  console.log(JSON.stringify({ objects: (await ready)() }));
stop.abort();
process.exit();
