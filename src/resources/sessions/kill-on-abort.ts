import { randomUUID } from "node:crypto";
import { execSync as callExecSync } from "../../calls/containers.js";
import { onAbort } from "../../internal/abort.js";
import { undoTimeoutMs } from "../../options.js";
import { log } from "../../transport/logging.js";
import type { Core } from "../core.js";
import type { ExecSession } from "./session.js";

/** The environment variable that marks a command and all that it starts. */
const marker = "K8S_CRI_CLIENT_EXEC";

/** Kills every process that carries the mark; the process that does so does not carry it itself. */
const killScript = `for p in /proc/[0-9]*; do grep -qs "${marker}=$0" "$p/environ" && kill -9 "\${p#/proc/}"; done; true`;

/** A command that can be found and killed later, and what arms that. */
export interface KillableCommand {
  cmd: string[];
  arm: (session: ExecSession, signal: AbortSignal | undefined) => void;
}

/** Marks a command through its environment, which its children inherit. CRI's exec takes no environment, so a shell sets it. */
export function killOnAbort(core: Core, containerId: string, command: readonly string[]): KillableCommand {
  const mark = randomUUID();
  const kill = async () => {
    try {
      const seconds = Math.round(undoTimeoutMs / 1_000);
      await callExecSync(core.connection, containerId, ["sh", "-c", killScript, mark], seconds, {
        timeoutMs: undoTimeoutMs,
      });
    } catch (error) {
      const { endpoint, options } = core.connection;
      log(options.logger, "warn", "an aborted command could not be killed", {
        endpoint,
        containerId,
        error: String(error),
      });
    }
  };
  return {
    cmd: ["sh", "-c", `export ${marker}="$0"; exec "$@"`, mark, ...command],
    arm: (session, signal) => {
      if (!signal) return;
      const disarm = onAbort(signal, () => void kill());
      session.exit.then(disarm, disarm);
    },
  };
}
