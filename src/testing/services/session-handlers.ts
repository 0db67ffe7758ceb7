import { ServerError, Status } from "nice-grpc-common";
import { linkAbort, onAbort } from "../../internal/abort.js";
import type { ExecOutcome } from "../backend/backend.js";
import type { ProgramIo } from "../backend/program-io.js";
import { exitCodeOf } from "../backend/signals.js";
import type { FlavorProfile } from "../flavors/profile.js";
import type { Lifecycle } from "../lifecycle.js";
import type { ContainerRecord } from "../state/containers.js";
import { type CommandStatus, exitedWith, failedWith, succeeded } from "../streaming/command-status.js";
import { isPipeFull } from "../streaming/session-streams.js";
import type { SessionHandlers } from "../streaming/streaming-server.js";
import { checkReady, checkRunning, execFailure } from "./exec-service.js";

/** Handles streaming sessions of either protocol. */
export function sessionHandlers(lifecycle: () => Lifecycle): SessionHandlers {
  const running = (rpc: "Exec" | "Attach", id: string): ContainerRecord => {
    const { state, flavor } = lifecycle();
    const container = state.containers.get(id, rpc);
    checkRunning(rpc, container, flavor);
    return container;
  };

  return {
    take: (token) => lifecycle().state.sessions.take(token),

    exec: ({ containerId, cmd }, io) =>
      withFailedStatus("error executing command in container: ", lifecycle().flavor, async () => {
        const container = running("Exec", containerId);
        const exitCode = await execUntilEnd(lifecycle(), container, cmd, io);
        const { exitMessage, unreadInput } = lifecycle().flavor;
        if (unreadInput === "fails" && isPipeFull(io.stdin)) throw new Error("write |1: broken pipe");
        if (unreadInput === "noStatus" && isPipeFull(io.stdin)) return undefined;
        return exitedWith(exitCode, exitMessage(exitCode));
      }),

    attach: ({ containerId, stdin }, io) =>
      withFailedStatus("error attaching to container: ", lifecycle().flavor, async () => {
        await attachUntilEnd(running("Attach", containerId), io, stdin);
        return succeeded;
      }),

    async connect({ podSandboxId }, port) {
      const { state, backend, flavor } = lifecycle();
      let reason: unknown = `dial tcp4 127.0.0.1:${port}: connect: connection refused`;
      try {
        const pod = state.pods.get(podSandboxId, "PortForward");
        checkReady(pod, flavor);
        const connection = await backend.portForward?.({ id: pod.id, config: pod.config }, port);
        if (connection) return connection;
      } catch (error) {
        reason = messageOf(error);
      }
      const context = "failed to execute portforward in network namespace: failed to connect to localhost:";
      throw new Error(`error forwarding port ${port} to pod ${podSandboxId}, uid : ${context}${port}: ${reason}`);
    },
  };
}

/** Runs a command until it ends or its container ends. */
async function execUntilEnd(
  lifecycle: Lifecycle,
  container: ContainerRecord,
  command: readonly string[],
  io: ProgramIo,
): Promise<number> {
  const link = linkAbort(io.signal);
  const killed = container.ended?.then(() => {
    link.abort(new Error("the container has ended"));
    return exitCodeOf("SIGKILL");
  });
  const run = runCommand(lifecycle, container, command, { ...io, signal: link.signal });
  run.catch(() => {});
  try {
    return await Promise.race(killed ? [killed, run] : [run]);
  } finally {
    link.unlink();
  }
}

async function runCommand(
  lifecycle: Lifecycle,
  container: ContainerRecord,
  command: readonly string[],
  io: ProgramIo,
): Promise<number> {
  const { backend } = lifecycle;
  const described = lifecycle.describe(container);
  let outcome: ExecOutcome;
  try {
    if (backend.exec) return await backend.exec(described, command, io);
    outcome = await backend.execSync(described, command, io.signal);
  } catch (error) {
    outcome = execFailure("Exec", error, lifecycle);
  }
  io.stdout.write(outcome.stdout);
  io.stderr.write(outcome.stderr);
  return outcome.exitCode;
}

/**
 * Attaches a client to the main process until the process ends or the client disconnects. The end of the client's input also ends
 * the session, unless the session passes this end on to the container's input.
 */
async function attachUntilEnd(
  { config, process, output, ended }: ContainerRecord,
  io: ProgramIo,
  hasInput: boolean,
): Promise<void> {
  const detach = output?.attach(io);
  const stdin = config.stdin ? process?.stdin : undefined;
  const passesEnd = config.stdinOnce && !config.tty;
  if (stdin?.writable) io.stdin.pipe(stdin, { end: passesEnd });
  const inputEnded = new Promise<void>((resolve) => {
    if (hasInput && stdin && !passesEnd) io.stdin.once("end", resolve);
  });
  void passSizes(io, process);
  const disconnected = new Promise<void>((resolve) => {
    const unlisten = onAbort(io.signal, resolve);
    void ended?.then(unlisten);
    if (io.signal.aborted) resolve();
  });
  await Promise.race([ended, disconnected, inputEnded]);
  detach?.();
}

async function passSizes(io: ProgramIo, process: ContainerRecord["process"]): Promise<void> {
  for await (const size of io.sizes) process?.resize?.(size);
}

/** Converts an error into the status of a failed session. */
async function withFailedStatus<T extends CommandStatus | undefined>(
  context: string,
  { family }: FlavorProfile,
  run: () => Promise<T>,
): Promise<T | CommandStatus> {
  try {
    return await run();
  } catch (error) {
    return failedWith(`${context}${family === "cri-o" ? goStatusError(error) : messageOf(error)}`);
  }
}

/** Formats an error like CRI-O, which adds the gRPC code unless it is UNKNOWN. */
function goStatusError(error: unknown): string {
  if (!(error instanceof ServerError) || error.code === Status.UNKNOWN) return messageOf(error);
  const code = Status[error.code].toLowerCase().replace(/(?:^|_)(.)/g, (_, letter: string) => letter.toUpperCase());
  return `rpc error: code = ${code} desc = ${error.details}`;
}

/** Returns an error's message without the code that nice-grpc prepends. */
function messageOf(error: unknown): string {
  const { details, message = String(error) } = error as { details?: string; message?: string };
  return details ?? message;
}
