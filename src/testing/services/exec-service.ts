import { linkAbort } from "../../internal/abort.js";
import { ContainerState, PodSandboxState } from "../../proto.js";
import type { ExecOutcome } from "../backend/backend.js";
import { type HandlerContext, type HandlersOf, rpcError } from "../handlers.js";
import type { Lifecycle } from "../lifecycle.js";
import type { Clock } from "../state/clock.js";
import type { ContainerRecord } from "../state/containers.js";
import { notFound } from "../state/ids.js";

/** ExecSync, and the three RPCs that give the URL of a streaming session. */
export function execService(lifecycle: Lifecycle): HandlersOf<"ExecSync" | "Exec" | "Attach" | "PortForward"> {
  const { state, flavor } = lifecycle;

  return {
    async ExecSync({ containerId, cmd, timeout }, context) {
      const prefix = "failed to exec in container";
      const container = state.containers.get(
        containerId,
        `${prefix}: failed to find container "${containerId}" in store`,
      );
      checkRunning(container, `${prefix}: `);
      const timeoutMs = timeout.toNumber() * 1_000;
      const outcome = await runWithin(timeoutMs, context, state.clock, async (signal) => {
        await context.midway();
        try {
          return await lifecycle.backend.execSync(lifecycle.describe(container), cmd, signal);
        } catch (error) {
          if (signal.aborted) throw error;
          const message = error instanceof Error ? error.message : String(error);
          throw rpcError("UNKNOWN", `${prefix}: failed to start exec "${state.ids.next()}": ${message}`);
        }
      });
      if (outcome !== timedOut) return outcome;
      if (flavor.family === "cri-o") return { exitCode: -1, stderr: Buffer.from("command timed out") };
      throw rpcError("DEADLINE_EXCEEDED", `${prefix}: timeout ${timeout}s exceeded: context deadline exceeded`);
    },

    async Exec(request) {
      const { containerId, stdin, stdout, stderr, tty } = request;
      const container = state.containers.get(containerId, `failed to find container "${containerId}" in store`);
      checkRunning(container, "");
      if (tty && stderr) throw rpcError("INVALID_ARGUMENT", "tty and stderr cannot both be true");
      if (!stdin && !stdout && !stderr)
        throw rpcError("INVALID_ARGUMENT", "one of stdin, stdout, or stderr must be set");
      return { url: await state.sessions.open({ kind: "exec", request }) };
    },

    async Attach(request) {
      const { containerId, stdin, stdout, stderr, tty } = request;
      const container = state.containers.get(containerId, "failed to find container in store");
      checkRunning(container, "");
      if (tty && stderr) throw rpcError("INVALID_ARGUMENT", "tty and stderr cannot both be true");
      if (!stdin && !stdout && !stderr)
        throw rpcError("INVALID_ARGUMENT", "one of stdin, stdout, and stderr must be set");
      return { url: await state.sessions.open({ kind: "attach", request }) };
    },

    async PortForward(request) {
      const { podSandboxId } = request;
      const pod = state.pods.find(podSandboxId, `failed to find sandbox "${podSandboxId}"`);
      if (!pod) throw notFound(`failed to find sandbox "${podSandboxId}"`);
      if (pod.state !== PodSandboxState.SANDBOX_READY) throw rpcError("UNKNOWN", "sandbox container is not running");
      return { url: await state.sessions.open({ kind: "portForward", request }) };
    },
  };
}

/** Refuses what takes a container at work. */
export function checkRunning(container: ContainerRecord, prefix: string): void {
  if (container.state === ContainerState.CONTAINER_RUNNING) return;
  throw rpcError("UNKNOWN", `${prefix}container is in ${ContainerState[container.state]} state`);
}

const timedOut = Symbol("timed out");

/** Runs a command that is killed when its time is over (0: never) or when the call is aborted. */
async function runWithin(
  timeoutMs: number,
  { signal }: HandlerContext,
  clock: Clock,
  run: (signal: AbortSignal) => Promise<ExecOutcome>,
): Promise<ExecOutcome | typeof timedOut> {
  const link = linkAbort(signal);
  const stopTimer = timeoutMs > 0 ? clock.startTimer(timeoutMs, () => link.abort(timedOut)) : () => {};
  try {
    return await run(link.signal);
  } catch (error) {
    if (link.signal.reason === timedOut) return timedOut;
    throw error;
  } finally {
    stopTimer();
    link.unlink();
  }
}
