/** @module */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../../test/runtime/lab/command.js";
import { fetchPackages } from "../../../test/runtime/lab/debian.js";
import type { ApiServer } from "./api-server.js";

/** Returns the path of kubectl 1.32, from Debian 13. The kustomize in that of Debian 12 is too old. */
export async function kubectlProgram(): Promise<string> {
  return join(await fetchPackages("trixie", ["kubectl"]), "usr/bin/kubectl");
}

/** Runs kubectl as an administrator, and returns what it writes. */
export async function kubectl(args: readonly string[], server?: ApiServer): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "kubectl-"));
  try {
    const kubeconfig = join(folder, "config");
    if (server) await writeFile(kubeconfig, await server.kubeconfig(), { mode: 0o600 });
    const env = { PATH: process.env.PATH, HOME: folder, KUBECONFIG: kubeconfig };
    return await run(await kubectlProgram(), args, { env });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
