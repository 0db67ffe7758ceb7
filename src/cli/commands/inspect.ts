import { Option } from "commander";
import { type Container, type CriClient, CriError, InvalidInputError, type PodSandbox, redact } from "../../index.js";
import { type CommandModule, ExitError } from "../command.js";
import { statusDocument } from "../output/document.js";
import { structured } from "../output/format.js";
import { addNamespaceOption, namesHelp, type SelectOptions, select } from "../select.js";

interface InspectOptions extends Pick<SelectOptions, "namespace"> {
  output: "json" | "yaml";
  type?: "pod" | "container" | "image";
  showSecrets?: boolean;
}

/** `inspect`: prints the status of containers, pods and images. */
export const inspect: CommandModule<InspectOptions> = {
  define(command) {
    command
      .argument("<NAME...>", "containers, pods, or images")
      .addOption(new Option("-o, --output <format>", "how to print it").choices(["json", "yaml"]).default("json"))
      .addOption(
        new Option("--type <type>", "what the names stand for, if they are ambiguous").choices([
          "pod",
          "container",
          "image",
        ]),
      )
      .option("--show-secrets", "also print values of environment variables, and other values that may be secret");
    addNamespaceOption(command);
    command.addHelpText(
      "after",
      `${namesHelp}
An image is named by a tag, a digest or an id. The output is that of crictl inspect, inspectp and inspecti.

Examples:
  k8s-cri-client inspect web/main
  k8s-cri-client inspect busybox:1.37 --type image
  k8s-cri-client inspect 1f73f2d81bf98 -o yaml`,
    );
  },

  async run(invocation, names, options) {
    const cri = await invocation.connect();
    const documents: unknown[] = [];
    for (const name of names) {
      const { status, info } = await inspectOne(cri, name, options);
      documents.push(options.showSecrets ? statusDocument(status, info) : redact(statusDocument(status, info)));
    }
    await invocation.print(await structured(documents.length === 1 ? documents[0] : documents, options.output));
  },
};

async function inspectOne(
  cri: CriClient,
  name: string,
  { type, namespace }: InspectOptions,
): Promise<{ status: object; info: Record<string, string> }> {
  if (type === "image") return inspectImage(cri, name);
  try {
    const [object] = await select(cri, [name], { namespace, type });
    return await (object as PodSandbox | Container).inspect();
  } catch (error) {
    // Nothing but an image can have the name.
    if (type !== undefined || !CriError.is(error, "NOT_FOUND")) throw error;
    return inspectImage(cri, name, error);
  }
}

/** @param otherwise what to throw if there is no such image */
async function inspectImage(cri: CriClient, name: string, otherwise?: Error) {
  const found = await cri.images.inspect(name).catch((error: unknown) => {
    // A name that is not a reference of an image either, such as one in capitals.
    throw error instanceof InvalidInputError ? (otherwise ?? error) : error;
  });
  if (found) return { status: found.image, info: found.info };
  throw otherwise ?? new ExitError(`no image has the name or id ${JSON.stringify(name)}`, 1);
}
