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

/** The result of a run of buf. */
export interface BufResult {
  readonly status: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/**
 * Runs buf with `args` in the project's root. Returns the result even if buf failed.
 *
 * Buf requires a cache folder even if it downloads nothing, and fails if HOME is unset or read-only. It therefore gets one in the
 * project.
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

/** Runs buf like {@link buf}. @throws Error with buf's error message if it failed */
export function bufOrThrow(...args: readonly string[]): Buffer {
  const result = buf(...args);
  if (result.status !== 0) {
    // The first message is the cause, and hundreds may follow.
    const messages = `${result.stderr}${result.stdout}`.trim().split("\n").slice(0, 12).join("\n");
    throw new Error(`buf ${args.join(" ")} exited with ${result.status}:\n${messages}`);
  }
  return result.stdout;
}
