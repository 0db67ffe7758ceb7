/** Copies as workflows: their sessions, bytes and ends. Containers are processes of this machine. */
import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { Container, SessionOperation } from "../../../src/index.js";
import { HostProcessBackend } from "../../../src/testing/index.js";
import { skipOnWindows } from "../../support/platform.js";
import { rejection, startFake } from "../support.js";
import { collectOperations, pathOf } from "./operations.js";

/** More than all frames of the protocols and headers of the archives together. */
const size = 300_000;

describe.skipIf(skipOnWindows("host processes that run a POSIX shell"))("a copy", () => {
  let at: string;
  let container: Container;
  let archive: Buffer;

  beforeEach(async () => {
    at = await realpath(await mkdtemp(join(tmpdir(), "copies-")));
    await writeFile(join(at, "local"), Buffer.alloc(size));
    const { cri } = await startFake({ backend: new HostProcessBackend() });
    const pod = await cri.pods.run({ name: "p" });
    container = await pod.runContainer({ name: "c", image: "busybox:1", command: ["sleep", "600"], workingDir: at });
    archive = await buffer(await container.getArchive(join(at, "local")));
    onTestFinished(async () => {
      await container.stop({ gracePeriodSeconds: 0 });
      await rm(at, { recursive: true });
    });
  });

  /** Returns the bytes that all sessions of the operations carried. */
  function bytesOf(operations: readonly object[]) {
    const sessions = operations.filter((one) => (one as SessionOperation).kind === "session") as SessionOperation[];
    return {
      sent: sessions.reduce((sum, { sentBytes }) => sum + sentBytes, 0),
      received: sessions.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0),
    };
  }

  const copies: Readonly<Record<string, { direction: "sent" | "received"; copy: () => Promise<unknown> }>> = {
    "container.copyTo": { direction: "sent", copy: () => container.copyTo(join(at, "local"), join(at, "to")) },
    "container.copyFrom": {
      direction: "received",
      copy: () => container.copyFrom(join(at, "local"), join(at, "from")),
    },
    "container.writeFile": { direction: "sent", copy: () => container.writeFile(join(at, "w"), Buffer.alloc(size)) },
    "container.readFile": { direction: "received", copy: () => container.readFile(join(at, "local")) },
    "container.getArchive": {
      direction: "received",
      copy: async () => buffer(await container.getArchive(join(at, "local"))),
    },
    "container.putArchive": { direction: "sent", copy: () => container.putArchive(at, archive) },
  };

  test.each(Object.keys(copies))("%s is a workflow with sessions that count the bytes", async (name) => {
    const { direction, copy } = copies[name]!;
    const operations = collectOperations();
    await copy();
    await expect.poll(() => operations.filter((one) => one.name === name)).toHaveLength(1);
    const workflow = operations.find((one) => one.name === name);
    expect(workflow).toMatchObject({ outcome: "OK", hasFailed: false, subject: { containerId: container.id } });
    const inside = operations.filter((one) => pathOf(one).startsWith(`workflow ${name} > session exec`));
    expect(inside.map(({ outcome }) => outcome)).not.toContain("CANCELLED");
    const bytes = bytesOf(inside);
    expect(bytes[direction]).toBeGreaterThanOrEqual(size);
    expect(bytes[direction]).toBeLessThan(size * 1.1);
    expect(bytes[direction === "sent" ? "received" : "sent"]).toBeLessThan(1_000);
    // Everything that a copy does is a part of it.
    expect(operations.filter((one) => !pathOf(one).startsWith(`workflow ${name}`))).toEqual([]);
  });

  test("of a path that does not exist fails with the code of its error", async () => {
    const operations = collectOperations(["workflow"]);
    await rejection(container.readFile(join(at, "missing")));
    await rejection(container.copyFrom(join(at, "missing"), join(at, "from")));
    await rejection(container.getArchive(join(at, "missing")));
    expect(operations.map(({ name, outcome, hasFailed }) => [name, outcome, hasFailed])).toEqual([
      ["container.readFile", "NOT_FOUND", true],
      ["container.copyFrom", "NOT_FOUND", true],
      ["container.getArchive", "NOT_FOUND", true],
    ]);
  });

  test("as an archive lasts until the archive has been read", async () => {
    const operations = collectOperations(["workflow"]);
    const stream = await container.getArchive(join(at, "local"));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(operations).toEqual([]);
    await buffer(stream);
    await expect.poll(() => operations).toMatchObject([{ name: "container.getArchive", outcome: "OK" }]);
  });

  test("as an archive has not failed when the program stops reading it", async () => {
    const operations = collectOperations(["workflow", "session"]);
    const stream: Readable = await container.getArchive(join(at, "local"));
    for await (const _ of stream) break;
    await expect
      .poll(() => operations.filter(({ name }) => name === "container.getArchive"))
      .toMatchObject([{ outcome: "CANCELLED", hasFailed: false }]);
    await expect.poll(() => operations.filter(({ hasFailed }) => hasFailed)).toEqual([]);
  });

  test("that is aborted has failed", async () => {
    const operations = collectOperations(["workflow"]);
    const abort = new AbortController();
    async function* endless() {
      for (let chunk = 0; ; chunk++) {
        yield Buffer.alloc(10_000);
        if (chunk === 10) abort.abort(new Error("enough"));
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    const options = { size: 1 << 30, signal: abort.signal };
    expect(await rejection(container.writeFile(join(at, "w"), endless(), options))).toBe(abort.signal.reason);
    expect(operations).toMatchObject([{ name: "container.writeFile", outcome: "CANCELLED", hasFailed: true }]);
  });
});
