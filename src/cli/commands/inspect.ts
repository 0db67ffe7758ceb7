import { Option } from "commander";
import { type CriClient, CriError, redact } from "../../index.js";
import { type CommandModule, ExitError } from "../command.js";
import { statusDocument } from "../output/document.js";
import { structured } from "../output/format.js";
import { addNamespaceOption, namesHelp, type SelectOptions, select } from "../select.js";

interface InspectOptions extends Pick<SelectOptions, "namespace"> {
  output: "json" | "yaml";
  type?: "pod" | "container" | "image";
  showSecrets?: boolean;
}

/** `inspect`: prints what the runtime knows of containers, pods and images. */
export const inspect: CommandModule<InspectOptions> = {
  define(command) {
    command
      .argument("<NAME...>", "containers, pods, or images")
      .addOption(new Option("-o, --output <format>", "how to print it").choices(["json", "yaml"]).default("json"))
      .addOption(
        new Option("--type <type>", "what a name stands for, if several have it").choices([
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

  async run(invocation, texts, options) {
    const cri = await invocation.connect();
    const documents: unknown[] = [];
    for (const text of texts) {
      const { status, info } = await inspectOne(cri, text, options);
      documents.push(options.showSecrets ? statusDocument(status, info) : redact(statusDocument(status, info)));
    }
    await invocation.print(await structured(documents.length === 1 ? documents[0] : documents, options.output));
  },
};

async function inspectOne(
  cri: CriClient,
  text: string,
  { type, namespace }: InspectOptions,
): Promise<{ status: object; info: Record<string, string> }> {
  if (type === "image") return inspectImage(cri, text);
  try {
    return await (await select(cri, text, { namespace, type })).inspect();
  } catch (error) {
    // Nothing but an image can have the name.
    if (type !== undefined || !CriError.is(error, "NOT_FOUND")) throw error;
    return inspectImage(cri, text, error);
  }
}

/** @param otherwise what to throw if there is no such image */
async function inspectImage(cri: CriClient, text: string, otherwise?: Error) {
  const found = await cri.images.inspect(text).catch((error: unknown) => {
    // The text is the name of nothing, and perhaps no reference of an image either.
    throw otherwise ?? error;
  });
  if (found) return { status: found.image, info: found.info };
  throw otherwise ?? new ExitError(`no image has the name or id ${JSON.stringify(text)}`, 1);
}
