import { Option } from "commander";
import { type DeepOptions, type DiagnoseOptions, diagnose, type Finding, type FindingStatus } from "../../index.js";
import { type CommandModule, type GlobalOptions, type Invocation, UsageError } from "../command.js";
import { structured } from "../output/format.js";
import { printable } from "../output/table.js";
import type { Terminal } from "../terminal.js";

interface DoctorOptions {
  deep?: boolean;
  image?: string;
  output: "table" | "json" | "yaml";
  verbose?: boolean;
}

/** `doctor`: checks whether the package can use the runtime, and says what to do. */
export const doctor: CommandModule<DoctorOptions> = {
  define(command) {
    command
      .option("--deep", "also run a pod, execute commands in it, read its log, and remove it")
      .option("--image <image>", "the image of that pod, which must have sh, echo and sleep (default: busybox:1.37)")
      .addOption(
        new Option("-o, --output <format>", "how to print the findings")
          .choices(["table", "json", "yaml"])
          .default("table"),
      )
      .option("-v, --verbose", "also print the details of checks that passed");
    command.addHelpText(
      "after",
      `
Exits with 0 if nothing failed. Warnings are not failures.

Examples:
  k8s-cri-client doctor
  k8s-cri-client doctor --deep --image registry.example/busybox:1
  k8s-cri-client doctor -o json | jq '.findings[] | select(.status == "failure")'`,
    );
  },

  async run(invocation, _, { deep, image, output, verbose = false }) {
    if (image !== undefined && !deep) throw new UsageError("--image needs --deep: it names the image of the pod");
    const { globals, terminal } = invocation;
    const all = { ...connection(globals, terminal), deep: deep && deepOptions(image, globals) };
    if (output !== "table") {
      const diagnosis = await diagnose(all);
      await invocation.print(await structured(diagnosis, output));
      return diagnosis.ok ? 0 : 1;
    }
    const report = new Report(invocation, verbose);
    const { ok } = await diagnose({ ...all, onFinding: (finding) => report.add(finding) });
    await report.end();
    return ok ? 0 : 1;
  },
};

function deepOptions(image: string | undefined, { timeout }: GlobalOptions): DeepOptions {
  return { ...(image !== undefined && { image }), ...(timeout && { timeoutMs: timeout }) };
}

function connection(globals: GlobalOptions, { env, signal }: Terminal): DiagnoseOptions {
  const { endpoint, imageEndpoint, config, timeout } = globals;
  // The file that the command line names wins over variables, as in the other commands.
  const { CONTAINER_RUNTIME_ENDPOINT: _, IMAGE_SERVICE_ENDPOINT: __, ...others } = env;
  return {
    endpoint,
    imageEndpoint,
    configPath: config,
    env: config === undefined ? env : others,
    ...(timeout && { timeoutMs: timeout }),
    signal,
  };
}

const colors = { ok: "green", warning: "yellow", failure: "red", skipped: "dim" } as const;
const unicode = { ok: "✓", warning: "!", failure: "✗", skipped: "-" } as const;
const ascii = { ok: "+", warning: "!", failure: "x", skipped: "-" } as const;

/** The width of the names of checks. */
const nameWidth = 15;

/** Prints findings for a person: a line for each, with what to do below it, and a summary. */
class Report {
  readonly #invocation: Invocation;
  readonly #verbose: boolean;
  readonly #marks: Readonly<Record<FindingStatus, string>>;
  readonly #counts = { ok: 0, warning: 0, failure: 0, skipped: 0 };
  /** The names of skipped checks, by the reason. */
  readonly #skipped = new Map<string, string[]>();
  #printing: Promise<void> = Promise.resolve();

  constructor(invocation: Invocation, verbose: boolean) {
    const { LC_ALL, LC_CTYPE, LANG } = invocation.terminal.env;
    this.#invocation = invocation;
    this.#verbose = verbose;
    this.#marks = /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || "") ? unicode : ascii;
  }

  /** Prints a finding. Failures to print are thrown by {@link end}. */
  add(finding: Finding): void {
    const { check, status, found, remedy } = finding;
    this.#counts[status]++;
    if (status === "skipped" && remedy === undefined) {
      this.#skipped.set(found, [...(this.#skipped.get(found) ?? []), check]);
      return;
    }
    this.#print(this.#format(finding));
  }

  /** Prints the summary. */
  async end(): Promise<void> {
    const { styles } = this.#invocation;
    for (const [reason, checks] of this.#skipped) {
      this.#print(
        `${styles("dim", `${this.#marks.skipped} not checked: ${checks.join(", ")}: ${printable(reason)}`)}\n`,
      );
    }
    const { ok, warning, failure, skipped } = this.#counts;
    const parts = [`${ok} ok`, plural(warning, "warning"), plural(failure, "failure"), `${skipped} skipped`];
    this.#print(`\n${styles(failure > 0 ? "red" : warning > 0 ? "yellow" : "green", parts.join(", "))}\n`);
    await this.#printing;
  }

  #format({ check, status, found, details, remedy, commands }: Finding): string {
    const { styles } = this.#invocation;
    const mark = styles(colors[status], this.#marks[status]);
    const lines = [`${mark} ${check.padEnd(nameWidth)} ${printable(found)}`];
    const shown = status === "ok" && !this.#verbose ? [] : details;
    lines.push(...shown.map((detail) => styles("dim", `    ${printable(detail)}`)));
    if (remedy !== undefined) lines.push(`    ${printable(remedy)}`);
    lines.push(...commands.map((command) => `      ${styles("cyan", printable(command))}`));
    return `${lines.join("\n")}\n`;
  }

  #print(text: string): void {
    this.#printing = this.#printing.then(() => this.#invocation.print(text));
    this.#printing.catch(() => {});
  }
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
