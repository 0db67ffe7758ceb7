import type { BackendContainer } from "./backend.js";

/*
 * The few commands that a scripted container understands without a script: enough for a test that needs a command to end, to
 * fail, to take its time or to say something.
 */

/** What running a command would be like. */
export interface CommandPlan {
  readonly exitCode: number;
  readonly durationMs: number;
  readonly stdout: string;
  readonly stderr: string;
}

const nothing: CommandPlan = { exitCode: 0, durationMs: 0, stdout: "", stderr: "" };

/** The plan of `echo`, `true`, `false`, `sleep N`, `cat /etc/hostname`, `hostname` and of a shell with a line of those. */
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

/** Statements between `;`, `&&` and line ends; output may go to `>&2`. Quotes group words and nothing else. */
function planScript(script: string, hostname: string): CommandPlan | undefined {
  const beyond = script.replace(/1?>&2/g, "").replaceAll("&&", "");
  if (/[|`$<>(){}*\\&]/.test(beyond)) return undefined;
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

/** What a runtime says of a program that is not there. */
export function notFoundInPath(program: string): string {
  return `unable to start container process: exec: "${program}": executable file not found in $PATH`;
}

/** What `hostname` says in a container. */
export function hostnameOf({ podConfig }: BackendContainer): string {
  return podConfig.hostname || podConfig.metadata?.name || "localhost";
}
