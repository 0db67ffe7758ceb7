import { randomUUID } from "node:crypto";
import { CriError } from "../../errors.js";
import { onAbort } from "../../internal/abort.js";
import { sleep } from "../../internal/timer.js";
import { rollbackTimeoutMs } from "../../options.js";
import { execSync } from "../../rpcs/containers.js";
import type { Connection } from "../../transport/connection.js";
import { log } from "../../transport/logging.js";
import type { ClientContext } from "../context.js";
import type { ExecSession } from "./session.js";

/** The environment variable that marks a command and the processes that it starts. */
const marker = "K8S_CRI_CLIENT_EXEC";

/**
 * Kills every process with the mark in its environment or arguments, except for itself, and prints how many it killed. The
 * arguments matter for the shell that has not set the environment variable yet.
 */
const killScript =
  `n=0; for p in /proc/[0-9]*; do [ "$p" = "/proc/$$" ] && continue; ` +
  `grep -qs "$0" "$p/environ" "$p/cmdline" && kill -9 "\${p#/proc/}" && n=$((n+1)); done; echo $n`;

/** Repeats the kill, because a command may start shortly after its session was aborted. */
const maxAttempts = 5;
const intervalMs = 200;

/** Kills a command and the processes that it started when its session is aborted. */
export class Killer {
  readonly #context: ClientContext;
  readonly #containerId: string;
  readonly #mark = randomUUID();

  constructor(context: ClientContext, containerId: string) {
    this.#context = context;
    this.#containerId = containerId;
  }

  /**
   * Returns a command that runs the given one with a mark in its environment, which its child processes inherit. A shell sets the
   * mark, because CRI's Exec has no field for the environment.
   */
  mark(command: readonly string[]): string[] {
    return ["sh", "-c", `export ${marker}="$0"; exec "$@"`, this.#mark, ...command];
  }

  /**
   * Kills the command when the signal aborts before the command has ended, or if opening the session fails after it may have
   * started the command.
   */
  guard(session: Promise<ExecSession>, signal: AbortSignal | undefined): void {
    // The caller may close the client right after aborting, and close() waits for this.
    const kill = () => this.#context.connection.finish((connection) => this.#kill(connection));
    const disarm = signal && onAbort(signal, kill);
    session.then(
      ({ exit }) => exit.then(disarm, disarm),
      (error: unknown) => {
        disarm?.();
        if (CriError.is(error) && error.mayHaveTakenEffect) kill();
      },
    );
  }

  async #kill(connection: Connection): Promise<void> {
    const deadline = performance.now() + rollbackTimeoutMs;
    try {
      for (let attempt = 1; attempt <= maxAttempts; attempt++) {
        const command = ["sh", "-c", killScript, this.#mark];
        const timeoutMs = Math.max(1, deadline - performance.now());
        const seconds = Math.ceil(timeoutMs / 1_000);
        const { stdout } = await execSync(connection, this.#containerId, command, seconds, { timeoutMs });
        if (Number(Buffer.from(stdout).toString("latin1")) > 0) return;
        await sleep(intervalMs);
      }
    } catch (error) {
      const fields = { endpoint: connection.endpoint, containerId: this.#containerId, error: String(error) };
      log(connection.options.logger, "warn", "an aborted command could not be killed", fields);
    }
  }
}
