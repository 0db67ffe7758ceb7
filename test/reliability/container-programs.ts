import { type Duplex, PassThrough } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import type { BackendContainer, ContainerScript, ExecAnswer } from "../../src/testing/index.js";

/** Commands of containers: one that keeps running, one that exits soon, and one that cannot start. */
export const containerCommands = {
  stays: ["stays"],
  ends: ["ends"],
  broken: ["broken"],
} as const satisfies Record<string, readonly string[]>;

export type ContainerCommand = keyof typeof containerCommands;

/** Returns the behaviour of a container, by its command. */
export function script({ id, command }: BackendContainer, started: (id: string) => void): ContainerScript {
  started(id);
  const [name] = command;
  if (name === "ends") return { stdout: "short\n", exitCode: 3, afterMs: 30 };
  if (name === "broken") return { startError: `exec: "broken": executable file not found in $PATH` };
  return { stdout: "hello\n" };
}

/**
 * Returns a command for `exec` that repeats its input, prints its operation number, and exits with code 7 after `ms`
 * milliseconds.
 */
export function commandOf(operation: number, ms: number): string[] {
  return ["work", String(operation), String(ms)];
}

/** Runs a command of {@link commandOf}. */
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

/** Returns a server in a pod that echoes its input. */
export function echo(): Duplex {
  return new PassThrough();
}
