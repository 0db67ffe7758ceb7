import { InvalidInputError } from "../../../errors.js";
import { asWorkflow } from "../../../tracing/workflow.js";
import type { ClientContext } from "../../context.js";
import { type CopyOptions, checkCopyOptions, copyFields } from "./container-commands.js";
import { checkContainerFolder } from "./container-path.js";
import { CopyLimit } from "./copy-limit.js";
import { type ArchiveData, checkData, chunksOf, destroyData } from "./file-data.js";
import { compressionOf } from "./tar/compression.js";
import { blockSize, parseHeader } from "./tar/header.js";
import { sendArchive } from "./tar-session.js";

/** Unpacks an archive into a folder of a container, as `Container.putArchive` describes. */
export const putArchive = asWorkflow(
  { name: "container.putArchive", subject: ([, id]) => ({ containerId: id }) },
  sendGivenArchive,
);

async function sendGivenArchive(
  context: ClientContext,
  containerId: string,
  containerDir: string,
  archive: ArchiveData,
  options: CopyOptions = {},
): Promise<void> {
  checkCopyOptions(options, copyFields);
  const { system, path: folder } = checkContainerFolder(containerDir, "containerDir");
  checkData(archive, "archive");
  const command = system.receiveCommand(folder, false);
  using limit = new CopyLimit(context, options);
  try {
    const chunks = checked(chunksOf(archive, "archive", limit.signal));
    await sendArchive(context, { containerId, command }, chunks, options, limit);
  } catch (error) {
    destroyData(archive);
    throw error;
  }
}

/** Checks that a stream begins like a tar archive, and passes it through. @throws InvalidInputError */
async function* checked(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let beginning: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of chunks) {
    if (!beginning) {
      yield chunk;
      continue;
    }
    beginning = Buffer.concat([beginning, chunk]);
    if (beginning.length < blockSize) continue;
    checkFirstBlock(beginning.subarray(0, blockSize));
    yield beginning;
    beginning = undefined;
  }
  if (beginning) checkFirstBlock(beginning);
}

function checkFirstBlock(block: Buffer): void {
  if (block.length === blockSize && (block.every((byte) => byte === 0) || isHeader(block))) return;
  const compression = compressionOf(block);
  throw invalid(
    compression === undefined
      ? `is not a tar archive${block.length < blockSize ? `: it has ${block.length} bytes` : ""}`
      : `is compressed with ${compression}; decompress it first, for example with node:zlib`,
  );
}

function isHeader(block: Buffer): boolean {
  try {
    parseHeader(block);
    return true;
  } catch {
    return false;
  }
}

function invalid(message: string): InvalidInputError {
  return new InvalidInputError({ field: "archive", message });
}
