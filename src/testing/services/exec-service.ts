import { ServerError } from "nice-grpc-common";
import { linkAbort } from "../../internal/abort.js";
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

/** ExecSync, and the three RPCs that give the URL of a streaming session. */
export function execService(lifecycle: Lifecycle): HandlersOf<"ExecSync" | "Exec" | "Attach" | "PortForward"> {
  const { state, flavor } = lifecycle;

  /** Refuses a session, where the runtime does not leave that to the session itself. */
  const checkEarly = (rpc: "Exec" | "Attach", containerId: string) => {
    const container = state.containers.get(containerId, rpc);
    if (flavor.checksSession === "call") checkRunning(rpc, container, flavor);
  };

  return {
    async ExecSync({ containerId, cmd, timeout }, context) {
      const container = state.containers.get(containerId, "ExecSync");
      checkRunning("ExecSync", container, flavor);
      const timeoutMs = timeout.toNumber() * 1_000;
      const kills = { ...context, when: flavor.killsCommand, clock: state.clock };
      const outcome = await runWithin(timeoutMs, kills, async (signal) => {
        await context.midway();
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
      if (request.podSandboxId === "") throw flavor.errors.unclear("PortForward", "");
      if (flavor.checksSession === "call") checkReady(state.pods.get(request.podSandboxId, "PortForward"), flavor);
      return { url: await state.sessions.open({ kind: "portForward", request }) };
    },
  };
}

/** The outcome of a command whose output went through a terminal. */
function throughTerminal({ exitCode, stdout, stderr }: ExecOutcome): ExecOutcome {
  const output = Buffer.concat([stdout, stderr]).toString("latin1").replaceAll("\n", "\r\n");
  return { exitCode, stdout: Buffer.from(output, "latin1"), stderr: Buffer.of() };
}

/** Refuses what takes a container that runs. */
export function checkRunning(rpc: RpcName, container: ContainerRecord, flavor: FlavorProfile): void {
  const { CONTAINER_CREATED, CONTAINER_RUNNING } = ContainerState;
  const { state } = container;
  if (state === CONTAINER_RUNNING || (state === CONTAINER_CREATED && flavor.execInCreated)) return;
  throw flavor.errors.notRunning(rpc, container);
}

/** Refuses to forward ports of a pod that is not ready. */
export function checkReady(pod: PodRecord, flavor: FlavorProfile): void {
  if (pod.state !== PodSandboxState.SANDBOX_READY) throw flavor.errors.notRunning("PortForward", { id: pod.id });
}

/** What comes of a command that a backend could not start: an outcome, or the runtime's error, which is thrown. */
export function execFailure(rpc: "Exec" | "ExecSync", error: unknown, { state, flavor }: Lifecycle): ExecOutcome {
  if (!(error instanceof ProgramError))
    throw rpcError("UNKNOWN", error instanceof Error ? error.message : String(error));
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
  const word = rpc === "Exec" ? "or" : "and";
  throw errors.badStreams(rpc, `one of stdin, stdout, ${word} stderr must be set`);
}

const timedOut = Symbol("timed out");

interface Kills extends Pick<HandlerContext, "signal" | "killed"> {
  readonly when: FlavorProfile["killsCommand"];
  readonly clock: Clock;
}

/** Runs a command until it ends or its time is over (0: never), and kills it when the flavour does. */
async function runWithin(
  timeoutMs: number,
  { signal, killed, when, clock }: Kills,
  run: (signal: AbortSignal) => Promise<ExecOutcome>,
): Promise<ExecOutcome | typeof timedOut> {
  const link = linkAbort(killed, when === "atLimitOrEnd" ? signal : undefined);
  const running = run(link.signal);
  running.then(link.unlink, link.unlink);
  let giveUp: (outcome: typeof timedOut) => void = () => {};
  const given = new Promise<typeof timedOut>((resolve) => (giveUp = resolve));
  const end = when === "never" ? () => giveUp(timedOut) : () => link.abort(timedOut);
  const stopTimer = timeoutMs > 0 ? clock.startTimer(timeoutMs, end) : () => {};
  try {
    return await Promise.race([running, given]);
  } catch (error) {
    if (link.signal.reason === timedOut) return timedOut;
    throw error;
  } finally {
    stopTimer();
  }
}
