/**
 * Runs a pod with a container on a real runtime, step by step, and removes everything.
 *
 *     npm run quickstart -- --help
 *
 * @module
 */
import { parseArgs } from "node:util";
import { CriError } from "k8s-cri-client";
import { remedyFor } from "./failures.js";
import { Interruption } from "./interruption.js";
import { Journey } from "./journey.js";
import { chooseRuntime } from "./runtime.js";

const help = `Runs a pod with a container through k8s-cri-client, shows each step, and removes everything.

Usage: npm run quickstart -- [options]

  --endpoint <endpoint>  the runtime to use: a socket's path, unix:///path or https://host:port
                         default: a runtime found on this machine, else a temporary containerd
                         (Linux, as root; unpacked from Debian packages, not installed), else a fake
                         whose containers are processes of this machine
  --image <reference>    the image to run; it must have a shell
                         default: a small one on the node, else docker.io/library/busybox
  --keep                 keep the pod, container and image, and print how to remove them
  --help                 show this text

On a Kubernetes node, the kubelet removes pods that it did not create, so kept pods will not last.`;

function readOptions() {
  try {
    return parseArgs({
      options: {
        endpoint: { type: "string" },
        image: { type: "string" },
        keep: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${help}`);
    return process.exit(2);
  }
}

async function main(options: ReturnType<typeof readOptions>): Promise<number> {
  if (options.help) {
    console.log(help);
    return 0;
  }
  const started = performance.now();
  const runtime = await chooseRuntime(options.endpoint, interruption.signal);
  console.log(runtime.announcement);
  const journey = new Journey(runtime, { image: options.image, signal: interruption.signal });
  let failure: unknown;
  try {
    await journey.run();
    if (options.keep) {
      journey.keep();
      // Our own runtime stops with this program.
      if (runtime.isOurs) await interruption.wait();
    }
  } catch (error) {
    failure = error;
  }
  const leftovers = await journey.cleanUp();
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  if (interruption.exitCode !== undefined) {
    console.log(`Interrupted by ${interruption.signal.reason.message}. ${leftovers ?? "Nothing is left behind."}`);
    return interruption.exitCode;
  }
  if (failure !== undefined) throw failure;
  if (leftovers !== undefined) {
    console.error(leftovers);
    return 1;
  }
  console.log(`Done in ${seconds} s.${options.keep ? "" : " Nothing is left behind."}`);
  return 0;
}

const interruption = new Interruption();
main(readOptions()).then(
  (code) => process.exit(code),
  (error: unknown) => {
    if (interruption.exitCode !== undefined) process.exit(interruption.exitCode);
    console.error(`\nFailed: ${CriError.is(error) || error instanceof Error ? error.message : String(error)}`);
    const remedy = remedyFor(error);
    if (remedy) console.error(`\n${remedy}`);
    process.exit(1);
  },
);
