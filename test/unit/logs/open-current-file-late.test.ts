import { writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { CriError } from "../../../src/errors.js";
import { logFailure } from "../../../src/logs/log-failure.js";
import { criLine, temporaryFolder, texts } from "./support.js";

const folder = temporaryFolder();

test("waits for a log that is about to appear, if its folder exists", async () => {
  const path = folder.file("late.log");
  const reading = texts(path, { appearsWithinMs: 30_000 });
  await delay(60);
  writeFileSync(path, criLine(1));
  expect(await reading).toEqual(["line 1"]);
  await expect(texts(folder.file("other.log"), { appearsWithinMs: 60 })).rejects.toMatchObject({ code: "NOT_FOUND" });
  // If it waited, the test would time out.
  await expect(texts(folder.file("none/0.log"), { appearsWithinMs: 30_000 })).rejects.toMatchObject({
    code: "NOT_FOUND",
  });
}, 20_000);

test("fails with PERMISSION_DENIED if Node.js' permission model forbids access", () => {
  const error = Object.assign(new Error("Access to this API has been restricted"), { code: "ERR_ACCESS_DENIED" });
  expect(CriError.is(logFailure("/var/log/pods/0.log", error), "PERMISSION_DENIED")).toBe(true);
});
