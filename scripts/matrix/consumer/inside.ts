/** Runs the journey on a fake runtime in the same process. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { journey } from "./journey.js";
import { startRuntime } from "./runtime.js";

/** Returns the result of the journey. */
export async function inside(): Promise<string> {
  const logs = await mkdtemp(join(tmpdir(), "cri-matrix-"));
  const runtime = await startRuntime();
  try {
    return await journey(runtime.endpoint, logs);
  } finally {
    await runtime.stop();
    await rm(logs, { recursive: true });
  }
}
