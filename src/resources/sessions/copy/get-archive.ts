import { pipeline, type Readable, Transform } from "node:stream";
import { NoLongerNeeded } from "../../../internal/abort.js";
import { asWorkflow } from "../../../tracing/workflow.js";
import type { ClientContext } from "../../context.js";
import { exec } from "../exec.js";
import {
  type CopyOptions,
  checkCopyOptions,
  copyFields,
  finishCommand,
  readErrorOutput,
} from "./container-commands.js";
import { checkContainerPath } from "./container-path.js";
import { ProgressReporter } from "./progress.js";

/** Reads a file or folder in a container as an archive, as `Container.getArchive` describes. */
export const getArchive = asWorkflow(
  { name: "container.getArchive", subject: ([, id]) => ({ containerId: id }), until: archiveEnd },
  openArchive,
);

async function openArchive(
  context: ClientContext,
  containerId: string,
  containerPath: string,
  options: CopyOptions = {},
): Promise<Readable> {
  checkCopyOptions(options, copyFields);
  const { system, path: source } = checkContainerPath(containerPath);
  const { onProgress, ...rest } = options;
  const progress = new ProgressReporter({ onProgress });
  const found = await system.find(context, containerId, source, rest);
  if (found.kind === "nothing") throw found.error;
  const command = system.sendCommand(source, found.kind);
  const session = await exec<null, Readable, Readable>(context, containerId, command, rest);
  const errorOutput = readErrorOutput(session.stderr);
  const archive = new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      try {
        progress.add(chunk);
        callback(null, chunk);
      } catch (error) {
        callback(error as Error);
      }
    },
    // The stream ends only if tar succeeded.
    flush(callback) {
      const finished = finishCommand(context, session, errorOutput).then(() => progress.finish());
      finished.then(() => callback(), callback);
    },
  });
  pipeline(session.stdout, archive, () => void session.close());
  return archive;
}

/** Settles when the archive has been read to its end, or is no longer read. */
function archiveEnd(archive: Readable): Promise<void> {
  return new Promise((resolve, reject) => {
    archive.once("close", () => {
      const error: NodeJS.ErrnoException | null = archive.errored;
      // A loop that is left early destroys a stream with this error of Node.js.
      if (error && error.code !== "ABORT_ERR") reject(error);
      else if (archive.readableEnded) resolve();
      else reject(new NoLongerNeeded("The archive is no longer read."));
    });
  });
}
