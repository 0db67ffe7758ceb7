import { ServerError } from "nice-grpc-common";
import { linkAbort } from "../../internal/abort.js";
import { errorMessage } from "../../internal/error-message.js";
import { type AttachRequest, ContainerState, type ExecRequest, PodSandboxState } from "../../proto.js";
import type { ExecOutcome } from "../backend/backend.js";
import { ProgramError } from "../backend/program-error.js";
import type { FlavorProfile } from "../flavors/profile.js";
import { type HandlerContext, type HandlersOf, rpcError } from "../handlers.js";
import type { Lifecycle } from "../lifecycle.js";
import type { RpcName } from "../rpcs.js";
import type { Clock } from "../state/clock.js";
import type { ContainerRecord } from "../state/containers.js";
import type { PodRecord } from "../state/pods.js";

/** Handles ExecSync, and the three RPCs that return the URL of a streaming session. */
export function execService(lifecycle: Lifecycle): HandlersOf<"ExecSync" | "Exec" | "Attach" | "PortForward"> {
  const { state, flavor } = lifecycle;

  /** Checks the container, on runtimes that check it before they return a URL. */
  const checkEarly = (rpc: "Exec" | "Attach", containerId: string) => {
    const container = state.containers.get(containerId, rpc);
    if (flavor.checksSession === "call") checkRunning(rpc, container, flavor);
  };

  return {
    async ExecSync({ containerId, cmd, timeout }, context) {
      const container = state.containers.get(containerId, "ExecSync");
      checkRunning("ExecSync", container, flavor);
      const timeoutMs = timeout.toNumber() * 1_000;
      const limits = { ...context, killedBy: flavor.killsCommand, clock: state.clock };
      const outcome = await runWithin(timeoutMs, limits, async (signal) => {
        await context.duringEffect();
        try {
          return await lifecycle.backend.execSync(lifecycle.describe(container), cmd, signal);
        } catch (error) {
          if (signal.aborted) throw error;
          return execFailure("ExecSync", error, lifecycle);
        }
      });
      if (outcome !== timedOut) {
        return flavor.execSyncHasTerminal && container.config.tty ? throughTerminal(outcome) : outcome;
      }
      if (flavor.family === "cri-o") return { exitCode: -1, stderr: Buffer.from("command timed out") };
      const prefix =
        flavor.family === "containerd" ? `failed to exec in container: timeout ${timeout}s exceeded: ` : "";
      throw rpcError("DEADLINE_EXCEEDED", `${prefix}context deadline exceeded`);
    },

    async Exec(request) {
      checkEarly("Exec", request.containerId);
      checkStreams("Exec", request, flavor);
      return { url: await state.sessions.open({ kind: "exec", request }) };
    },

    async Attach(request) {
      checkEarly("Attach", request.containerId);
      checkStreams("Attach", request, flavor);
      return { url: await state.sessions.open({ kind: "attach", request }) };
    },

    async PortForward(request) {
      if (request.podSandboxId === "") throw flavor.errors.ambiguousId("PortForward", "");
      if (flavor.checksSession === "call") checkReady(state.pods.get(request.podSandboxId, "PortForward"), flavor);
      return { url: await state.sessions.open({ kind: "portForward", request }) };
    },
  };
}

/** Converts the outcome of a command as if its output had passed through a terminal. */
function throughTerminal({ exitCode, stdout, stderr }: ExecOutcome): ExecOutcome {
  const output = Buffer.concat([stdout, stderr]).toString("latin1").replaceAll("\n", "\r\n");
  return { exitCode, stdout: Buffer.from(output, "latin1"), stderr: Buffer.of() };
}

/** Throws the runtime's error unless the container runs. */
export function checkRunning(rpc: RpcName, container: ContainerRecord, flavor: FlavorProfile): void {
  const { CONTAINER_CREATED, CONTAINER_RUNNING } = ContainerState;
  const { state } = container;
  if (state === CONTAINER_RUNNING || (state === CONTAINER_CREATED && flavor.execInCreated)) return;
  throw flavor.errors.notRunning(rpc, container);
}

/** Throws the runtime's error for a port-forward to a pod that is not ready. */
export function checkReady(pod: PodRecord, flavor: FlavorProfile): void {
  if (pod.state !== PodSandboxState.SANDBOX_READY) throw flavor.errors.notRunning("PortForward", { id: pod.id });
}

/** Returns the outcome of a command that the backend could not start, or throws the runtime's error. */
export function execFailure(rpc: "Exec" | "ExecSync", error: unknown, { state, flavor }: Lifecycle): ExecOutcome {
  if (!(error instanceof ProgramError)) throw rpcError("UNKNOWN", errorMessage(error));
  const failure = flavor.errors.exec(rpc, state.ids.next(), error.message);
  if (failure instanceof ServerError) throw failure;
  return failure;
}

function checkStreams(
  rpc: "Exec" | "Attach",
  { stdin, stdout, stderr, tty }: ExecRequest | AttachRequest,
  { errors }: FlavorProfile,
): void {
  if (tty && stderr) throw errors.badStreams(rpc, "tty and stderr cannot both be true");
  if (stdin || stdout || stderr) return;
  const conjunction = rpc === "Exec" ? "or" : "and";
  throw errors.badStreams(rpc, `one of stdin, stdout, ${conjunction} stderr must be set`);
}

const timedOut = Symbol("timed out");

interface CommandLimits extends Pick<HandlerContext, "signal" | "killed"> {
  readonly killedBy: FlavorProfile["killsCommand"];
  readonly clock: Clock;
}

/** Runs a command until it ends or reaches its time limit (0: none). Kills the command when the flavour does. */
async function runWithin(
  timeoutMs: number,
  { signal, killed, killedBy, clock }: CommandLimits,
  run: (signal: AbortSignal) => Promise<ExecOutcome>,
): Promise<ExecOutcome | typeof timedOut> {
  const link = linkAbort(killed, killedBy === "atLimitOrEnd" ? signal : undefined);
  const running = run(link.signal);
  running.then(link.unlink, link.unlink);
  let stopWaiting: (outcome: typeof timedOut) => void = () => {};
  const stopped = new Promise<typeof timedOut>((resolve) => (stopWaiting = resolve));
  const end = killedBy === "never" ? () => stopWaiting(timedOut) : () => link.abort(timedOut);
  const stopTimer = timeoutMs > 0 ? clock.startTimer(timeoutMs, end) : () => {};
  try {
    return await Promise.race([running, stopped]);
  } catch (error) {
    if (link.signal.reason === timedOut) return timedOut;
    throw error;
  } finally {
    stopTimer();
  }
}
