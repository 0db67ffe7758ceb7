import { type Command, Option } from "commander";
import type { CriError, LogStreamName, MergedLogOptions } from "../../../index.js";
import { type CommandModule, ExitError, type Invocation, UsageError } from "../../command.js";
import { printable } from "../../output/table.js";
import { addSelectOptions, namesHelp, type SelectOptions, selectContainer } from "../../select.js";
import { count, labels, pastTime } from "../../values.js";
import { LogPrinter } from "./log-printer.js";
import { findLogs } from "./log-targets.js";

export interface LogsOptions extends SelectOptions {
  follow?: boolean;
  followNew?: boolean;
  label?: Record<string, string>;
  container?: string;
  allContainers?: boolean;
  since?: Date | string;
  tail?: number;
  timestamps?: boolean;
  previous?: boolean;
  stream?: LogStreamName;
  output: "text" | "json";
}

/** `logs`: prints the logs of containers and pods in the order of their times. */
export const logs: CommandModule<LogsOptions> = {
  define(command: Command) {
    command
      .argument("[NAME...]", "containers, or pods with all their containers")
      .option("-f, --follow", "continue with new lines, until no selected container can write")
      .option("-F, --follow-new", "continue until Ctrl-C, also with new pods, containers and attempts")
      .option("-l, --label <selector>", "pods with these labels, such as app=shop,tier=web", labels)
      .option("-c, --container <name>", "only containers with this name")
      .addOption(new Option("--all-containers", "all containers of the pods (the default)").conflicts("container"))
      .option("--since <time>", "only lines after a time, or a duration ago: 2026-11-29T10:00:00Z, 5m", pastTime)
      .option("--tail <lines>", "begin this number of lines before the end of each log", count)
      .option("--timestamps", "print the time of each line")
      .addOption(
        new Option("-p, --previous", "print the log of the previous attempt of one container").conflicts([
          "follow",
          "followNew",
          "label",
          "output",
        ]),
      )
      .addOption(new Option("--stream <name>", "only this output").choices(["stdout", "stderr"]))
      .addOption(
        new Option("-o, --output <format>", "how to print: json is one object a line")
          .choices(["text", "json"])
          .default("text"),
      );
    addSelectOptions(command);
    command.addHelpText("after", help);
  },

  async run(invocation, names, options) {
    const { follow, followNew, previous, since, stream, tail, label } = options;
    if (names.length === 0 && label === undefined) {
      throw new UsageError("whose logs? Name containers or pods, or select pods with --label");
    }
    if (previous && names.length !== 1) throw new UsageError("--previous needs the name of one container");
    const reading = { since, tailLines: tail, ...(stream && { streams: [stream] }) };
    if (previous) return printPrevious(invocation, names[0] as string, options, reading);
    const cri = await invocation.connect();
    const { queries, hasSeveral } = await findLogs(cri, names, options);
    const printer = new LogPrinter(invocation, cri, { ...options, prefix: hasSeveral });
    const reported = new Set<unknown>();
    const report = (error: CriError) => {
      reported.add(error);
      invocation.note(printable(error.message));
    };
    const entries = cri.logs(queries, {
      ...reading,
      follow: followNew ? "forever" : follow,
      encoding: "buffer",
      // The error of a single log ends the command, which prints it.
      onMissed: hasSeveral ? report : () => {},
      onGap: ({ reason, path }) => invocation.note(`${printable(path)}: a part is left out (${reason})`),
    });
    try {
      for await (const batch of entries.batches()) await printer.print(batch);
    } catch (error) {
      throw reported.has(error) ? new ExitError("none of the logs can be read", 1) : error;
    }
  },
};

async function printPrevious(
  invocation: Invocation,
  name: string,
  options: LogsOptions,
  reading: Pick<MergedLogOptions, "since" | "tailLines" | "streams">,
): Promise<void> {
  const cri = await invocation.connect();
  const container = await selectContainer(cri, name, options);
  const printer = new LogPrinter(invocation, cri, { ...options, prefix: false });
  const entries = container.logs({ ...reading, previous: true, encoding: "buffer" });
  for await (const batch of entries.batches()) await printer.print(batch);
}

const help = `${namesHelp}

Lines of several containers have a prefix. Without a terminal and for one container, the output has exactly the bytes
that the container wrote.

Examples:
  k8s-cri-client logs -f web
  k8s-cri-client logs -F -l app=shop --since 10m
  k8s-cri-client logs web/nginx --stream stderr --tail 100 -o json`;
