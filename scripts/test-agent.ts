/**
 * Tests examples/node-agent with real API servers: installs its packages, checks its types, and runs its tests.
 *
 *     npm run test:agent
 *     npm run test:agent -- crashes
 *
 * The first run builds the API servers from Debian's sources, which takes several minutes. Arguments are passed to vitest.
 *
 * @module
 */
import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installIn } from "./lib/install.js";
import { run } from "./lib/run.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const agent = join(root, "examples/node-agent");
const tsc = join(root, "node_modules/typescript/bin/tsc");

/** Builds the agent as its Dockerfile does, with the packed SDK. Returns its program. */
async function buildAgent(folder: string): Promise<string> {
  const packed = join(folder, "packed");
  await run("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: root });
  const [tarball = ""] = await readdir(folder);
  for (const path of ["package.json", "package-lock.json", "tsconfig.build.json", "src"]) {
    await cp(join(agent, path), join(packed, path), { recursive: true });
  }
  const options = ["--no-audit", "--no-fund", "--loglevel=error", "--prefer-offline"];
  await run("npm", ["ci", ...options], { cwd: packed });
  await run("npm", ["install", "--no-save", ...options, join(folder, tarball)], { cwd: packed });
  await run(process.execPath, [tsc, "-p", "tsconfig.build.json"], { cwd: packed });
  return join(packed, "dist/main.js");
}

await installIn(agent);
await run(process.execPath, [tsc, "-p", agent], { cwd: root, verbose: true });
const folder = await mkdtemp(join(tmpdir(), "node-agent-"));
try {
  const env = { ...process.env, NODE_AGENT_PROGRAM: await buildAgent(folder) };
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const projects = ["--project=node-agent", "--project=node-agent-journeys"];
  await run(process.execPath, [vitest, "run", ...projects, ...process.argv.slice(2)], {
    cwd: root,
    env,
    verbose: true,
  });
} finally {
  await rm(folder, { recursive: true, force: true });
}
