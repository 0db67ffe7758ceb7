import { type Duplex, PassThrough } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import type { BackendContainer, ContainerScript, ExecAnswer } from "../../src/testing/index.js";

/** The commands of containers: one that stays, one that ends soon, one that cannot be started. */
export const containerCommands = {
  stays: ["stays"],
  ends: ["ends"],
  broken: ["broken"],
} as const satisfies Record<string, readonly string[]>;

export type ContainerCommand = keyof typeof containerCommands;

/** How containers behave. */
export function script({ id, command }: BackendContainer, started: (id: string) => void): ContainerScript {
  started(id);
  const [name] = command;
  if (name === "ends") return { stdout: "short\n", exitCode: 3, afterMs: 30 };
  if (name === "broken") return { startError: `exec: "broken": executable file not found in $PATH` };
  return { stdout: "hello\n" };
}

/** A command for `exec`: it says so when it runs, repeats its input, and ends with the code 7 after a time. */
export function commandOf(operation: number, ms: number): string[] {
  return ["work", String(operation), String(ms)];
}

/** What such a command does. */
export function program([name, operation, ms]: readonly string[], executed: (operation: number) => void): ExecAnswer {
  if (name !== "work") return undefined;
  executed(Number(operation));
  return async ({ stdin, stdout, signal }) => {
    for await (const chunk of stdin) stdout.write(chunk);
    stdout.write(`done ${operation}\n`);
    await pause(Number(ms), undefined, { signal }).catch(() => {});
    return 7;
  };
}

/** A server in a pod that says back what it is told. */
export function echo(): Duplex {
  return new PassThrough();
}
