import type { BackendContainer } from "./backend.js";

/*
 * The commands that a scripted container understands without a script: enough for a test that needs a command to end, fail, take
 * some time or write output.
 */

/** The result of a command, and how long it takes. */
export interface CommandPlan {
  readonly exitCode: number;
  readonly durationMs: number;
  readonly stdout: string;
  readonly stderr: string;
}

const nothing: CommandPlan = { exitCode: 0, durationMs: 0, stdout: "", stderr: "" };

/**
 * Plans `echo`, `true`, `false`, `sleep N`, `cat /etc/hostname`, `hostname`, and a shell with a script of those. Returns
 * undefined for any other command.
 */
export function planCommand(command: readonly string[], hostname: string): CommandPlan | undefined {
  const [program = "", ...args] = command;
  switch (program.replace(/^(?:\/usr)?\/bin\//, "")) {
    case "true":
    case ":":
      return nothing;
    case "false":
      return { ...nothing, exitCode: 1 };
    case "echo":
      return { ...nothing, stdout: args[0] === "-n" ? args.slice(1).join(" ") : `${args.join(" ")}\n` };
    case "sleep":
      return planSleep(args);
    case "hostname":
      return { ...nothing, stdout: `${hostname}\n` };
    case "cat":
      return args.length === 1 && args[0] === "/etc/hostname" ? { ...nothing, stdout: `${hostname}\n` } : undefined;
    case "sh":
    case "bash":
    case "ash":
      return args[0] === "-c" && args[1] !== undefined ? planScript(args[1], hostname) : undefined;
    default:
      return undefined;
  }
}

function planSleep(args: readonly string[]): CommandPlan | undefined {
  const match = /^(?:(\d+(?:\.\d+)?)([smhd]?)|inf(?:inity)?)$/.exec(args[0] ?? "");
  if (!match || args.length !== 1) return undefined;
  if (match[1] === undefined) return { ...nothing, durationMs: Infinity };
  const unit = { s: 1, m: 60, h: 3_600, d: 86_400 }[match[2] || "s"] as number;
  return { ...nothing, durationMs: Number(match[1]) * unit * 1_000 };
}

/** Supports statements separated by `;`, `&&` and line ends, and `>&2`. Quotes only group words. */
function planScript(script: string, hostname: string): CommandPlan | undefined {
  const unsupported = script.replace(/1?>&2/g, "").replaceAll("&&", "");
  if (/[|`$<>(){}*\\&]/.test(unsupported)) return undefined;
  const total = { exitCode: 0, durationMs: 0, stdout: "", stderr: "" };
  let skipping = false;
  for (const [, statement = "", separator] of script.matchAll(
    /((?:"[^"]*"|'[^']*'|[^;&\n"']|&(?!&)(?=\d))*)(;|&&|\n|$)/g,
  )) {
    const toStderr = / *1?>&2 *$/.test(statement);
    const words = splitWords(statement.replace(/ *1?>&2 *$/, ""));
    if (!skipping && words.length > 0) {
      if (words[0] === "exit") return { ...total, exitCode: Number(words[1] ?? total.exitCode) & 0xff };
      const plan = planCommand(words[0] === "exec" ? words.slice(1) : words, hostname);
      if (!plan) return undefined;
      total.exitCode = plan.exitCode;
      total.durationMs += plan.durationMs;
      if (toStderr) total.stderr += plan.stdout + plan.stderr;
      else {
        total.stdout += plan.stdout;
        total.stderr += plan.stderr;
      }
    }
    skipping = separator === "&&" && (skipping || total.exitCode !== 0);
  }
  return total;
}

function splitWords(statement: string): string[] {
  const words: string[] = [];
  for (const [word] of statement.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)) words.push(word.replace(/["']/g, ""));
  return words;
}

/** Returns the error message of a runtime for a program that does not exist. */
export function notFoundInPath(program: string): string {
  return `unable to start container process: exec: "${program}": executable file not found in $PATH`;
}

/** Returns what `hostname` prints in a container. */
export function hostnameOf({ podConfig }: BackendContainer): string {
  return podConfig.hostname || podConfig.metadata?.name || "localhost";
}
