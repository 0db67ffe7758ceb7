/**
 * Measures the node agent of `examples/node-agent`, which is a package of its own, at rest and at work.
 *
 * @module
 */
import { installIn } from "../../scripts/lib/install.js";
import { labAvailability } from "../../test/runtime/lab/lab.js";
import { inRoot } from "../support/build.js";
import { millisecondsOf, parseOptions } from "../support/options.js";

export const help = `Measures examples/node-agent, beside a plain operator, on a containerd 2.1 of the lab and a real API server (Linux, root, apt).

Usage: npm run bench -- node-agent [options]

  --minutes <n>   length of each phase of each operator, may be a fraction; default 5
  --tasks <n>     NodeTasks of the mode KeepRunning on the node, each with a pod; default 20

At rest, all pods run and nothing changes. At work, one NodeTask of the mode Once after the other is created, completed and deleted.
The plain operator watches the tasks with the informer of @kubernetes/client-node, calls the runtime through plain nice-grpc stubs,
and writes each status twice. It does what the agent does when nothing goes wrong, and nothing of what the agent does otherwise: it
checks nothing, remembers nothing, restarts nothing, has no metrics, no lease and no controller. CPU time and memory are the
kernel's figures for the process on the node; the agent's controller is another process. The first run builds the API server.`;

export async function main(args: string[]): Promise<void> {
  const options = parseOptions(args, { minutes: "5", tasks: 20 });
  const phaseMs = millisecondsOf(options.minutes);
  const availability = labAvailability();
  if (!availability.available) throw new Error(`no containerd on this machine: ${availability.reason}`);
  const example = inRoot("examples/node-agent");
  await installIn(example);
  // Not a literal: the compiler of this project must not need the packages of the example.
  const { measure } = (await import(`${example}/bench/operators.ts`)) as {
    measure(options: { phaseMs: number; tasks: number }): Promise<void>;
  };
  await measure({ phaseMs, tasks: options.tasks });
}
