/**
 * Sessions with a program in the container that reads or writes an archive.
 *
 * @module
 */
import type { Readable, Writable } from "node:stream";
import { CriError } from "../../../errors.js";
import { onAbort, untilAborted } from "../../../internal/abort.js";
import { arrivingChunks } from "../../../internal/arriving-chunks.js";
import { startTimer, waitAtMost } from "../../../internal/timer.js";
import { stdinCannotEnd } from "../../../streaming/stdin-cannot-end.js";
import type { ClientContext } from "../../context.js";
import { exec } from "../exec.js";
import { sendInput } from "../send-input.js";
import { type CopyOptions, finishCommand, readErrorOutput } from "./container-commands.js";
import type { CopyLimit } from "./copy-limit.js";
import { ProgressReporter } from "./progress.js";

/** A command in a container that reads an archive. */
export interface ArchiveReader {
  containerId: string;
  command: readonly string[];
  /** The name of the command in error messages. @defaultValue "tar" */
  program?: string;
  /** Called if the copy fails or is aborted, after the command has ended. It has its own time limit. */
  undo?: ((context: ClientContext) => Promise<unknown>) | undefined;
  /** Called after the archive has ended, which may be some time after an abort: a pending read of the archive must settle first. */
  release?: () => Promise<void>;
}

/**
 * How long a command may take to end after its input has ended early, in milliseconds. Then the client ends the session.
 *
 * The client ends the input rather than the session because a command must see the end of its input in order to clean up and exit.
 * When the session ends first, containerd may never close the input, and the command waits for ever.
 */
const endTimeoutMs = 5_000;

/**
 * Runs a command that reads an archive, and sends it the archive. If the copy is aborted, the promise rejects at once; closing the
 * client waits until the command has ended.
 *
 * @throws the reason of the limit's signal, the error of the archive, or of `onProgress`; CriError
 */
export async function sendArchive(
  context: ClientContext,
  reader: ArchiveReader,
  archive: AsyncIterable<Uint8Array>,
  options: CopyOptions,
  { signal }: CopyLimit,
): Promise<void> {
  const progress = new ProgressReporter(options);
  const sent = new Promise<void>((resolve, reject) => {
    // close() waits for this, because the end of the input must still be sent.
    context.connection.finish((connection) =>
      send({ ...context, connection }, reader, progress.count(archive), options, signal).then(resolve, reject),
    );
  });
  await untilAborted(sent, signal);
  progress.finish();
}

async function send(
  context: ClientContext,
  { containerId, command, program, undo, release }: ArchiveReader,
  archive: AsyncGenerator<Uint8Array, void, undefined>,
  { transport, handshakeTimeoutMs, pingIntervalMs, retry, metadata }: CopyOptions,
  signal: AbortSignal,
): Promise<void> {
  const session = new AbortController();
  const abortSession = () => session.abort(signal.reason);
  let stopTimer = () => {};
  let onStop = abortSession;
  const unlisten = onAbort(signal, () => onStop());
  try {
    signal.throwIfAborted();
    await using opened = await exec<Writable, null, Readable>(context, containerId, command, {
      ...{ transport, handshakeTimeoutMs, pingIntervalMs, retry, metadata, signal: session.signal },
      stdin: true,
      stdout: false,
    });
    if (!opened.canHalfCloseStdin) throw stdinCannotEnd(opened.origin);
    onStop = () => {
      stopTimer = startTimer(endTimeoutMs, abortSession);
    };
    const errorOutput = readErrorOutput(opened.stderr);
    const input = new EndingInput(archive, signal);
    await sendInput(opened.stdin, input);
    const finished = finishCommand(context, opened, errorOutput, program);
    if (input.failure) {
      await waitAtMost(endTimeoutMs, finished).catch(() => {});
      throw input.failure.error;
    }
    await finished;
  } catch (error) {
    // The error of the copy says more than one of its removal, which has often the same cause.
    await undo?.(context).catch(() => {});
    throw error;
  } finally {
    unlisten();
    stopTimer();
    const ended = archive.return().catch(() => {});
    if (release) {
      await ended;
      await release();
    }
  }
}

/** An archive that ends early, without an error, when its source fails or the copy is aborted. */
class EndingInput implements AsyncIterable<Uint8Array> {
  /** Why the archive has ended early. */
  failure: { readonly error: unknown } | undefined;
  readonly #archive: AsyncIterable<Uint8Array>;
  readonly #signal: AbortSignal;

  constructor(archive: AsyncIterable<Uint8Array>, signal: AbortSignal) {
    this.#archive = archive;
    this.#signal = signal;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for await (const chunk of this.#archive) {
        this.#signal.throwIfAborted();
        yield chunk;
      }
    } catch (error) {
      this.failure = { error };
    }
  }
}

/** Runs a command that writes an archive, and passes the archive to a function that reads it. */
export async function receiveArchive<T>(
  context: ClientContext,
  containerId: string,
  command: readonly string[],
  consume: (archive: AsyncIterable<Uint8Array>) => Promise<T>,
  { onProgress, ...options }: CopyOptions,
): Promise<T> {
  const progress = new ProgressReporter({ onProgress });
  await using session = await exec<null, Readable, Readable>(context, containerId, command, options);
  const archive = session.stdout;
  const errorOutput = readErrorOutput(session.stderr);
  try {
    const result = await consume(progress.count(arrivingChunks(archive)));
    await finishCommand(context, session, errorOutput);
    progress.finish();
    return result;
  } catch (error) {
    // If tar failed, its own error message is more useful than that the archive is truncated.
    if (CriError.is(error, "INVALID_RESPONSE") && archive.readableEnded) {
      await waitAtMost(exitTimeoutMs, finishCommand(context, session, errorOutput));
    }
    // The reader of the archive does not know the endpoint.
    throw CriError.is(error, "INVALID_RESPONSE", "RESOURCE_EXHAUSTED") ? error.during(session.origin) : error;
  }
}

/** How long to wait for the exit code of a command whose output has ended, in milliseconds. */
const exitTimeoutMs = 2_000;
