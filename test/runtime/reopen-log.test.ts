/** Rotating a log by hand: rename the file, then call ReopenContainerLog. */
import { readFile, rename, stat } from "node:fs/promises";
import { expect, test } from "vitest";
import { criFailureOf, eventually } from "./helpers/expectations.js";
import { folder } from "./helpers/folder.js";
import { outputOf } from "./helpers/in-container.js";
import { journeys, sh } from "./helpers/journeys.js";

journeys("logs", (fixture) => {
  const { cri } = fixture;
  const reopens = fixture.traits.logFormat === "cri";
  const read = (path: string) => readFile(path, "utf8").catch(() => "");

  if (reopens)
    test("the runtime writes to a new file after a rename and reopenLog(), and loses no lines", async () => {
      await using logs = await folder();
      await using pod = await fixture.hostNetworkPod({ logDirectory: logs.path });
      await using at = await folder();
      await using container = await fixture.container(pod, {
        ...at.inside,
        command: sh("i=0; while :; do if test -f say; then i=$((i+1)); echo line $i; rm say; fi; sleep 0.02; done"),
      });
      const { logPath } = await container.status();
      const rotated = `${logPath}.1`;
      await outputOf(container, "touch say");
      await eventually(
        () => read(logPath),
        (content) => content.includes("line 1\n"),
      );
      await rename(logPath, rotated);
      await outputOf(container, "touch say");
      await eventually(
        () => read(rotated),
        (content) => content.includes("line 2\n"),
      );
      await container.reopenLog();
      await outputOf(container, "touch say");
      await eventually(
        () => read(logPath),
        (content) => content.includes("line 3\n"),
      );
      expect(await read(logPath)).not.toContain("line 2");
      expect(await read(rotated)).not.toContain("line 3");
      expect((await stat(logPath)).ino).not.toBe((await stat(rotated)).ino);
    });

  if (reopens)
    test("reopenLog() rejects for a container that is not running", async () => {
      await using exited = await fixture.container(await fixture.sharedPod(), { command: ["/bin/true"] });
      await exited.wait();
      expect((await criFailureOf(cri.containers.get(exited).reopenLog())).message).toMatch(/not running/);
    });
});
