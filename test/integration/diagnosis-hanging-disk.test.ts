/** A file system that does not answer, such as NFS whose server is gone. */
import { expect, test, vi } from "vitest";
import { diagnose } from "../../src/index.js";
import { startFake } from "./support.js";

vi.mock("node:fs/promises", async (original) => ({
  ...(await original<typeof import("node:fs/promises")>()),
  statfs: () => new Promise(() => {}),
}));

test("a diagnosis does not wait for a file system that hangs", async () => {
  const { runtime } = await startFake();
  // Long enough for the calls that find the file systems, on a busy machine.
  const { findings } = await diagnose({ endpoint: runtime.endpoint, timeoutMs: 1_500 });
  const disks = findings.filter(({ check }) => check === "disk");
  expect(disks.map(({ status }) => status)).toContain("failure");
  expect(disks.find(({ status }) => status === "failure")?.found).toContain("does not answer");
});
