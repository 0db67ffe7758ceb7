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

/** The environment variable that marks a command and all that it starts. */
const marker = "K8S_CRI_CLIENT_EXEC";

/**
 * Kills every process that carries the mark: in its environment, or, as long as the shell that sets it has not, in its arguments.
 * The process that does so has it in its arguments as well. Says how many it was.
 */
const killScript =
  `n=0; for p in /proc/[0-9]*; do [ "$p" = "/proc/$$" ] && continue; ` +
  `grep -qs "$0" "$p/environ" "$p/cmdline" && kill -9 "\${p#/proc/}" && n=$((n+1)); done; echo $n`;

/** A command whose session was aborted while it was opened may start a moment later. */
const looks = 5;
const pauseMs = 200;

/** Kills a command, and what it started, when its session is aborted. */
export class Killer {
  readonly #context: ClientContext;
  readonly #containerId: string;
  readonly #mark = randomUUID();

  constructor(context: ClientContext, containerId: string) {
    this.#context = context;
    this.#containerId = containerId;
  }

  /** The command with a mark in its environment, which its children inherit. CRI's exec takes no environment, so a shell sets it. */
  mark(command: readonly string[]): string[] {
    return ["sh", "-c", `export ${marker}="$0"; exec "$@"`, this.#mark, ...command];
  }

  /** Watches over a session from before it is there. One that could not be opened may have started its command all the same. */
  guard(session: Promise<ExecSession>, signal: AbortSignal | undefined): void {
    // Whoever aborts is often about to close the client too.
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
    const giveUpAt = performance.now() + rollbackTimeoutMs;
    try {
      for (let look = 1; look <= looks; look++) {
        const command = ["sh", "-c", killScript, this.#mark];
        const timeoutMs = Math.max(1, giveUpAt - performance.now());
        const seconds = Math.ceil(timeoutMs / 1_000);
        const { stdout } = await execSync(connection, this.#containerId, command, seconds, { timeoutMs });
        if (Number(Buffer.from(stdout).toString("latin1")) > 0) return;
        await sleep(pauseMs);
      }
    } catch (error) {
      const facts = { endpoint: connection.endpoint, containerId: this.#containerId, error: String(error) };
      log(connection.options.logger, "warn", "an aborted command could not be killed", facts);
    }
  }
}
