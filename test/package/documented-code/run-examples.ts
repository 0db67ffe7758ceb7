/**
 * Runs examples of a project, the current directory, one after the other in one process, because starting a process takes far
 * longer than running an example. Each has its own scene. Prints `ran NAME` after each.
 *
 *     tsx run-examples.ts [--endpoint unix:///run/containerd/containerd.sock] [--image busybox:1.37] lifecycle-1 lifecycle-4
 *
 * @module
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { calls } from "./calls.js";
import { programs } from "./programs.js";
import { inTime } from "./running.js";
import { Scene } from "./scene.js";

const { values, positionals } = parseArgs({
  options: { endpoint: { type: "string" }, image: { type: "string" } },
  allowPositionals: true,
});
process.argv.splice(2); // programs have no arguments
const project = process.cwd();
for (const name of positionals) {
  await inTime(run(name)).catch((error) => console.error(name, error));
  console.log("ran", name);
}

async function run(name: string): Promise<void> {
  await using scene = await Scene.create(values.endpoint, values.image);
  const file = pathToFileURL(join(project, `${name}.ts`)).href;
  let exports: Record<string, unknown> = {};
  let runs = 0;
  // A module runs again only under another address.
  const start = async (): Promise<void> => {
    exports = await import(`${file}?run=${++runs}`);
  };
  await (programs[name]?.(start, scene) ?? start());
  for (const [key, value] of Object.entries(exports)) await calls[key]?.(value as never, scene);
}
