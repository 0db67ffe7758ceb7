import { InvalidArgumentError, Option } from "commander";
import { ImagePullsError, type PullPolicy, type PullProgress, RegistryCredentials } from "../../index.js";
import type { CommandModule, Invocation } from "../command.js";
import { printable, printableLines } from "../output/table.js";
import { count } from "../values.js";

interface PullOptions {
  policy: PullPolicy;
  authFile?: string[];
  parallel: number;
  quiet?: boolean;
}

/** `pull`: pulls images. */
export const pull: CommandModule<PullOptions> = {
  define(command) {
    command
      .argument("<IMAGE...>", "references of images, such as busybox:1.37")
      .addOption(new Option("--policy <policy>", "when to pull").choices(["always", "missing"]).default("always"))
      .option(
        "--auth-file <file>",
        "a configuration file of Docker or Podman with credentials; may be given several times " +
          "(default: those of this user)",
        (file: string, files: string[] = []) => [...files, file],
      )
      .option("--parallel <number>", "how many images to pull at the same time, up to 64", parallel, 3)
      .option("-q, --quiet", "no progress");
    command.addHelpText(
      "after",
      `
Prints the id of each image. Continues after a failure, and then exits with 1.

Examples:
  k8s-cri-client pull busybox:1.37 nginx:1.29
  k8s-cri-client pull registry.example/app:2 --auth-file ./config.json`,
    );
  },

  async run(invocation, references, { policy, authFile, parallel: concurrency, quiet }) {
    const cri = await invocation.connect();
    const auth = await RegistryCredentials.load({ files: authFile });
    const onProgress = quiet ? undefined : (progress: PullProgress) => report(invocation, progress);
    try {
      const pulled = await cri.images.pullAll([...references], {
        auth,
        concurrency,
        onProgress,
        pullPolicy: policy,
      });
      await invocation.print(pulled.map(({ image }) => `${image.id}\n`).join(""));
    } catch (error) {
      if (!(error instanceof ImagePullsError)) throw error;
      const { results } = error;
      const pulled = results.flatMap((result) => ("image" in result ? `${result.image.id}\n` : []));
      await invocation.print(pulled.join(""));
      for (const result of results) {
        if (result.state === "failed")
          invocation.note(`k8s-cri-client: ${printable(result.reference)}: ${printableLines(result.error.message)}`);
      }
      return 1;
    }
  },
};

/** Parses the number of pulls at the same time, within the limits of `pullAll`. */
function parallel(text: string): number {
  const value = count(text);
  if (value < 1 || value > 64) throw new InvalidArgumentError("It must be a whole number from 1 to 64.");
  return value;
}

/** CRI reports no progress within a pull. Failures are printed at the end. */
function report({ note }: Invocation, { reference, state }: PullProgress): void {
  if (state === "queued" || state === "failed") return;
  const words = { pulling: "pulling", pulled: "pulled", present: "already present", skipped: "skipped" };
  note(`${printable(reference)}: ${words[state]}`);
}
