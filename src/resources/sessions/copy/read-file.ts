import { constants } from "node:buffer";
import type { Readable } from "node:stream";
import { CriError, InvalidInputError } from "../../../errors.js";
import type { FieldsOf } from "../../../input/call-options.js";
import { pinDeadline } from "../../../rpcs/budget.js";
import { asWorkflow } from "../../../tracing/workflow.js";
import type { ClientContext } from "../../context.js";
import { exec } from "../exec.js";
import { checkEncoding } from "../exec-result.js";
import {
  type CopyOptions,
  checkCopyOptions,
  checkLimit,
  copyFields,
  finishCommand,
  readErrorOutput,
} from "./container-commands.js";
import { checkPosixPath } from "./container-path.js";
import { posixSystem } from "./posix-system.js";
import { FileCounter, ProgressReporter } from "./progress.js";

/** Options of `readFile`. `timeoutMs` and `deadline` limit the whole call. */
export interface ReadFileOptions extends CopyOptions {
  /** The type of the content: a string, decoded from UTF-8, or a `Buffer`. @defaultValue "buffer" */
  encoding?: "utf8" | "buffer" | undefined;
  /**
   * Limits the size of the file, in bytes. A larger file fails with `RESOURCE_EXHAUSTED`. The limit is at most the maximum length
   * of a `Buffer` or string in Node.js.
   *
   * @defaultValue 16 MiB
   */
  maxBytes?: number | undefined;
}

const readFileFields: FieldsOf<ReadFileOptions> = { encoding: true, maxBytes: true, ...copyFields };

const defaultMaxBytes = 16 * 1024 ** 2;

/** Reads a file in a container, as `Container.readFile` describes. */
export const readFile: typeof receiveFile = asWorkflow(
  { name: "container.readFile", subject: ([, id]) => ({ containerId: id }) },
  receiveFile,
);

async function receiveFile(
  context: ClientContext,
  containerId: string,
  containerPath: string,
  options: ReadFileOptions = {},
): Promise<Buffer | string> {
  checkCopyOptions(options, readFileFields);
  const { encoding = "buffer", maxBytes = defaultMaxBytes, onProgress, ...rest } = options;
  const source = checkPosixPath(containerPath);
  checkEncoding(encoding);
  checkLimit("maxBytes", maxBytes);
  const progress = new ProgressReporter({ onProgress }, new FileCounter());
  const longest = encoding === "utf8" ? constants.MAX_STRING_LENGTH : constants.MAX_LENGTH;
  const pinned = pinDeadline(rest);
  try {
    const content = await read(context, containerId, source, Math.min(maxBytes, longest), progress, pinned);
    progress.finish();
    return encoding === "utf8" ? content.toString("utf8") : content;
  } catch (error) {
    options.signal?.throwIfAborted();
    if (CriError.is(error, "COMMAND_FAILED", "NOT_FOUND")) await explain(context, containerId, source, pinned);
    throw error;
  }
}

/**
 * Reads with `cat` rather than `tar`: the size of a file in `/proc` or `/sys` is not the length of its content, and a malicious
 * container cannot forge an archive.
 */
async function read(
  context: ClientContext,
  containerId: string,
  path: string,
  maxBytes: number,
  progress: ProgressReporter,
  options: CopyOptions,
): Promise<Buffer> {
  await using session = await exec<null, Readable, Readable>(context, containerId, ["cat", path], options);
  const errorOutput = readErrorOutput(session.stderr);
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of session.stdout as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBytes) throw tooLarge(context, path, maxBytes);
    progress.add(chunk);
    chunks.push(chunk);
  }
  await finishCommand(context, session, errorOutput, "cat");
  return Buffer.concat(chunks, length);
}

/** Finds out why a file could not be read, if the container has `ls`. @throws CriError if the path is a folder or does not exist */
async function explain(context: ClientContext, containerId: string, path: string, options: CopyOptions): Promise<void> {
  const found = await posixSystem.find(context, containerId, path, options).catch(() => undefined);
  if (found?.kind === "nothing" && CriError.is(found.error, "NOT_FOUND")) throw found.error;
  if (found?.kind !== "folder") return;
  const message = "is a folder; use copyFrom or getArchive for folders";
  throw new InvalidInputError({ field: "containerPath", message, value: path });
}

function tooLarge({ connection }: ClientContext, path: string, maxBytes: number): CriError {
  return new CriError({
    code: "RESOURCE_EXHAUSTED",
    message: `${path} in the container is larger than ${maxBytes} bytes, the limit of maxBytes; raise maxBytes, or use copyFrom`,
    method: "RuntimeService/Exec",
    endpoint: connection.endpoint,
    attempts: 1,
  });
}
