/**
 * Runs the `buf` of node_modules.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder that holds package.json, buf.yaml and proto/. */
export const projectRoot = fileURLToPath(new URL("../../", import.meta.url));

/** What one run of buf left behind. */
export interface BufResult {
  readonly status: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/**
 * Runs buf with `args` in the project's root and returns whatever it answered; a non-zero exit is the caller's to judge.
 *
 * Buf insists on a cache folder even when it fetches nothing and fails where HOME is unset or read-only, so it gets one inside the project.
 */
export function buf(...args: readonly string[]): BufResult {
  const manifest = createRequire(import.meta.url).resolve("@bufbuild/buf/package.json");
  const result = spawnSync(process.execPath, [join(dirname(manifest), "bin", "buf"), ...args], {
    cwd: projectRoot,
    env: { ...process.env, BUF_CACHE_DIR: process.env.BUF_CACHE_DIR ?? join(projectRoot, ".cache", "buf") },
    maxBuffer: 64 * 1024 * 1024,
  });
  if (result.error) throw result.error;
  return { status: result.status ?? 1, stdout: result.stdout, stderr: result.stderr.toString() };
}

/** Like {@link buf}, for runs that have no business failing: throws with buf's own words. */
export function bufOrThrow(...args: readonly string[]): Buffer {
  const result = buf(...args);
  if (result.status !== 0) {
    // The first complaint is the cause; hundreds may follow from it.
    const words = `${result.stderr}${result.stdout}`.trim().split("\n").slice(0, 12).join("\n");
    throw new Error(`buf ${args.join(" ")} exited with ${result.status}:\n${words}`);
  }
  return result.stdout;
}
