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
import { calls, stimuli } from "./calls.js";
import { inTime } from "./running.js";
import { Scene } from "./scene.js";

const { values, positionals } = parseArgs({
  options: { endpoint: { type: "string" }, image: { type: "string" } },
  allowPositionals: true,
});
const project = process.cwd();
for (const name of positionals) {
  try {
    await using scene = await Scene.create(values.endpoint, values.image);
    await inTime(run(name, scene));
  } catch (error) {
    console.error(name, error);
  }
  console.log("ran", name);
}

async function run(name: string, scene: Scene): Promise<void> {
  const [module] = await Promise.all([
    import(pathToFileURL(join(project, `${name}.ts`)).href) as Promise<Record<string, unknown>>,
    stimuli[name]?.(scene),
  ]);
  for (const [key, value] of Object.entries(module)) await calls[key]?.(value as never, scene);
}
