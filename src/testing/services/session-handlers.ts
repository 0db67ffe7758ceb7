import { linkAbort, onAbort } from "../../internal/abort.js";
import type { BackendContainer, ContainerBackend } from "../backend/backend.js";
import type { ProgramIo } from "../backend/program.js";
import { exitCodeOf } from "../backend/signals.js";
import type { Lifecycle } from "../lifecycle.js";
import type { ContainerRecord } from "../state/containers.js";
import { type CommandStatus, exitedWith, failedWith, succeeded } from "../streaming/command-status.js";
import type { SessionHandlers } from "../streaming/streaming-server.js";
import { checkRunning } from "./exec-service.js";

/** What happens in streaming sessions, whichever protocol they come over. */
export function sessionHandlers(lifecycle: () => Lifecycle): SessionHandlers {
  const running = (id: string): ContainerRecord => {
    const container = lifecycle().state.containers.get(id, `failed to find container "${id}" in store`);
    checkRunning(container, "");
    return container;
  };

  return {
    take: (token) => lifecycle().state.sessions.take(token),

    exec: ({ containerId, cmd }, io) =>
      orFailed("error executing command in container: ", async () => {
        const container = running(containerId);
        return exitedWith(await execUntilEnd(lifecycle(), container, cmd, io));
      }),

    attach: ({ containerId }, io) =>
      orFailed("error attaching to container: ", async () => {
        await attachUntilEnd(running(containerId), io);
        return succeeded;
      }),

    async connect({ podSandboxId }, port) {
      const { state, backend } = lifecycle();
      let why: unknown = `dial tcp4 127.0.0.1:${port}: connect: connection refused`;
      try {
        const { id, config } = state.pods.get(podSandboxId, `failed to find sandbox "${podSandboxId}" in store`);
        const connection = await backend.portForward?.({ id, config }, port);
        if (connection) return connection;
      } catch (error) {
        why = messageOf(error);
      }
      const context = "failed to execute portforward in network namespace: failed to connect to localhost:";
      throw new Error(`error forwarding port ${port} to pod ${podSandboxId}, uid : ${context}${port}: ${why}`);
    },
  };
}

/** Runs a command, which ends with its container at the latest. */
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
  const run = runCommand(lifecycle.backend, lifecycle.describe(container), command, { ...io, signal: link.signal });
  run.catch(() => {});
  try {
    return await Promise.race(killed ? [killed, run] : [run]);
  } finally {
    link.unlink();
  }
}

async function runCommand(
  backend: ContainerBackend,
  container: BackendContainer,
  command: readonly string[],
  io: ProgramIo,
): Promise<number> {
  if (backend.exec) return backend.exec(container, command, io);
  const { exitCode, stdout, stderr } = await backend.execSync(container, command, io.signal);
  io.stdout.write(stdout);
  io.stderr.write(stderr);
  return exitCode;
}

/** Connects a client to the main process, until that has ended or the client has gone. */
async function attachUntilEnd({ config, process, output, ended }: ContainerRecord, io: ProgramIo): Promise<void> {
  const detach = output?.attach(io);
  const stdin = config.stdin ? process?.stdin : undefined;
  if (stdin?.writable) io.stdin.pipe(stdin, { end: config.stdinOnce });
  void passSizes(io, process);
  const gone = new Promise<void>((resolve) => {
    const unlisten = onAbort(io.signal, resolve);
    void ended?.then(unlisten);
    if (io.signal.aborted) resolve();
  });
  await Promise.race([ended, gone]);
  detach?.();
}

async function passSizes(io: ProgramIo, process: ContainerRecord["process"]): Promise<void> {
  for await (const size of io.sizes) process?.resize?.(size);
}

async function orFailed(context: string, run: () => Promise<CommandStatus>): Promise<CommandStatus> {
  try {
    return await run();
  } catch (error) {
    return failedWith(`${context}${messageOf(error)}`);
  }
}

/** Without the code that nice-grpc puts in front. */
function messageOf(error: unknown): string {
  const { details, message = String(error) } = error as { details?: string; message?: string };
  return details ?? message;
}
