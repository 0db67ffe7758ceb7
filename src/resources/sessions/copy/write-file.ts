import { randomUUID } from "node:crypto";
import { posix } from "node:path";
import { CriError, InvalidInputError } from "../../../errors.js";
import type { FieldsOf } from "../../../input/call-options.js";
import { asWorkflow } from "../../../tracing/workflow.js";
import type { ClientContext } from "../../context.js";
import { type CopyOptions, checkCopyOptions, checkLimit, copyFields } from "./container-commands.js";
import { checkPosixPath } from "./container-path.js";
import { CopyLimit } from "./copy-limit.js";
import { checkData, chunksOf, destroyData, type FileData } from "./file-data.js";
import { posixSystem } from "./posix-system.js";
import { Spool } from "./spool.js";
import { blockSize, encodeHeader, paddingOf } from "./tar/header.js";
import { sendArchive } from "./tar-session.js";

/** Options of `writeFile`. `timeoutMs` and `deadline` limit the whole call, including the time that the data takes to arrive. */
export interface WriteFileOptions extends CopyOptions {
  /** The permissions of the file, from 0 to `0o7777`. @defaultValue 0o644 */
  mode?: number | undefined;
  /**
   * The exact number of bytes of a stream or iterable. With `size`, the data goes straight to the container. Without it, the data
   * is first stored on this machine: up to 1 MiB in memory, more in a temporary file without a name. If the data is shorter or
   * longer than `size`, the call fails and the destination is unchanged.
   */
  size?: number | undefined;
  /**
   * Limits how much of a stream or iterable without `size` is stored on this machine, in bytes. Longer data fails with
   * `RESOURCE_EXHAUSTED`. `Infinity` means no limit.
   *
   * @defaultValue 1 GiB
   */
  maxBytes?: number | undefined;
}

const writeFileFields: FieldsOf<WriteFileOptions> = { mode: true, size: true, maxBytes: true, ...copyFields };

const defaultMode = 0o644;
const defaultMaxBytes = 1024 ** 3;

/** Writes a file in a container, as `Container.writeFile` describes. */
export const writeFile = asWorkflow(
  { name: "container.writeFile", subject: ([, id]) => ({ containerId: id }) },
  sendFile,
);

async function sendFile(
  context: ClientContext,
  containerId: string,
  containerPath: string,
  data: FileData,
  options: WriteFileOptions = {},
): Promise<void> {
  checkCopyOptions(options, writeFileFields);
  const { mode = defaultMode, size, maxBytes = defaultMaxBytes, ...rest } = options;
  const target = checkFilePath(containerPath);
  checkData(data, "data");
  checkMode(mode);
  checkFileSize(size);
  checkLimit("maxBytes", maxBytes);
  using limit = new CopyLimit(context, rest);
  try {
    await using content = await sizedContent(data, size, maxBytes, limit);
    const temporaryName = `.k8s-cri-client-${randomUUID()}`;
    const command = ["sh", "-c", script, "sh", posix.dirname(target), temporaryName, posix.basename(target)];
    const archive = archiveOf(temporaryName, mode, content);
    await sendArchive(context, { containerId, command, program: "writeFile" }, archive, rest, limit);
  } catch (error) {
    destroyData(data);
    if (CriError.is(error, "COMMAND_FAILED")) await explain(context, containerId, target, rest);
    throw error;
  }
}

/**
 * Unpacks the file under a temporary name, and renames it only when it is complete. If the input ends early, `tar` fails, and the
 * script removes the incomplete file. After a failure, the script reads the rest of the input, because runtimes lose the exit code
 * of a command that leaves input unread.
 */
const script = `
[ ! -d "$1/$3" ] && mkdir -p "$1" && tar -xpof - -C "$1" && mv -f "$1/$2" "$1/$3" && exit
code=$?
rm -f "$1/$2"
cat > /dev/null
exit $code`;

interface SizedContent extends AsyncDisposable {
  size: number;
  chunks(): AsyncIterable<Uint8Array>;
}

/** Determines the size of the data, which the header of an archive needs. Stores a stream of unknown size first. */
async function sizedContent(
  data: FileData,
  size: number | undefined,
  maxBytes: number,
  { signal }: CopyLimit,
): Promise<SizedContent> {
  const length =
    typeof data === "string" ? Buffer.byteLength(data) : data instanceof Uint8Array ? data.length : undefined;
  if (size !== undefined && length !== undefined && size !== length) {
    throw wrongSize(`has ${length} bytes, but size is ${size}`);
  }
  const known = length ?? size;
  const chunks = () => chunksOf(data, "data", signal);
  if (known === undefined) return await Spool.fill(chunks(), maxBytes);
  return { size: known, chunks, [Symbol.asyncDispose]: async () => {} };
}

/**
 * Creates an archive of one file. Sends each part only after the next one has arrived, so that data that is longer than `size`
 * never becomes a complete file.
 */
async function* archiveOf(
  name: string,
  mode: number,
  content: SizedContent,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { size } = content;
  let last: Uint8Array = encodeHeader({ path: name, type: "0", mode, size, mtimeMs: Date.now(), linkpath: "" });
  let length = 0;
  for await (const chunk of content.chunks()) {
    length += chunk.length;
    if (length > size) throw wrongSize(`is longer than size, ${size} bytes`);
    yield last;
    last = chunk;
  }
  if (length < size) throw wrongSize(`ended after ${length} bytes, but size is ${size}`);
  yield last;
  yield Buffer.alloc(paddingOf(size) + 2 * blockSize);
}

function wrongSize(message: string): InvalidInputError {
  return new InvalidInputError({ field: "data", message });
}

/** Checks the path of a file. @throws InvalidInputError */
function checkFilePath(path: string): string {
  const normal = checkPosixPath(path);
  if (!path.endsWith("/")) return normal;
  const message = "must be the path of a file, without a slash at its end";
  throw new InvalidInputError({ field: "containerPath", message, value: path });
}

function checkMode(mode: number): void {
  if (Number.isInteger(mode) && mode >= 0 && mode <= 0o7777) return;
  throw new InvalidInputError({
    field: "mode",
    message: "must be a number from 0 to 0o7777, such as 0o644",
    value: mode,
  });
}

function checkFileSize(size: number | undefined): void {
  if (size === undefined || (Number.isSafeInteger(size) && size >= 0)) return;
  throw new InvalidInputError({ field: "size", message: "must be a whole number of bytes, from 0", value: size });
}

/** Finds out why a file could not be written, if the container has `ls`. @throws InvalidInputError if the path is a folder */
async function explain(context: ClientContext, containerId: string, path: string, options: CopyOptions): Promise<void> {
  const found = await posixSystem.find(context, containerId, path, options).catch(() => undefined);
  if (found?.kind !== "folder") return;
  const message = `is a folder; add the name of the file: ${posix.join(path, "name")}`;
  throw new InvalidInputError({ field: "containerPath", message, value: path });
}
