import { basename } from "node:path";
import type { Container, CriClient } from "../../../index.js";
import { type CommandModule, type Invocation, UsageError } from "../../command.js";
import { ProgressLine } from "../../output/progress-line.js";
import { printable } from "../../output/table.js";
import { addNamespaceOption, selectContainer } from "../../select.js";
import { type ContainerPath, parsePath } from "./paths.js";
import { CopyProgressText } from "./progress-text.js";

interface CpOptions {
  container?: string;
  namespace?: string;
}

/** `cp`: copies files and folders into and out of containers. */
export const cp: CommandModule<CpOptions> = {
  define(command) {
    command
      .argument("<PATH...>", "sources, and the destination: PATH, CONTAINER:PATH, or - for a tar archive")
      .usage("[options] SOURCE... DESTINATION")
      .option("-c, --container <name>", "the container of the pod");
    addNamespaceOption(command);
    command.addHelpText("after", help);
  },

  async run(invocation, args, options) {
    const paths = args.map(parsePath);
    const to = paths.pop();
    if (to === undefined || paths.length === 0) throw new UsageError("cp needs a source and a destination");
    const isArchive = (path: unknown) => path === "-";
    if (paths.length > 1 && [...paths, to].some(isArchive)) throw new UsageError("- stands for the only source");
    const remote = paths.filter((path): path is ContainerPath => typeof path === "object");
    if (typeof to === "object") {
      if (remote.length > 0) throw new UsageError(betweenContainers(remote[0] as ContainerPath, to));
      const target = await open(invocation, to, options);
      const sources = paths as string[];
      if (sources[0] === "-") return sendArchive(invocation, target, to.path);
      for (const source of sources) await send(invocation, target, source, to.path, sources.length > 1);
      return;
    }
    if (remote.length < paths.length) throw new UsageError("the source or the destination must be CONTAINER:PATH");
    for (const source of remote) {
      const container = await open(invocation, source, options);
      if (to === "-") await receiveArchive(invocation, container, source.path);
      else await receive(invocation, container, source.path, to, remote.length > 1);
    }
  },
};

async function open(
  { connect }: Invocation,
  { name }: ContainerPath,
  { container, namespace }: CpOptions,
): Promise<Container> {
  const cri: CriClient = await connect();
  return selectContainer(cri, name, { container, namespace });
}

/** Calls back with a function for the progress of a copy, which a terminal shows until the copy ends. */
async function withProgress<T>(
  { terminal }: Invocation,
  what: string,
  copy: (onProgress: ((progress: { entries: number; contentBytes: number }) => void) | undefined) => Promise<T>,
): Promise<T> {
  using line = new ProgressLine(terminal);
  const text = new CopyProgressText(printable(what));
  const result = await copy(line.isShown ? (progress) => line.show(text.during(progress)) : undefined);
  line.finish(text.end());
  return result;
}

/** A source that ends with `/.` stands for its content, as with `cp`. */
const isContent = (source: string) => /(^|[/\\])\.$/.test(source);

async function send(invocation: Invocation, to: Container, source: string, path: string, isOneOfSeveral: boolean) {
  const target = isOneOfSeveral && !path.endsWith("/") ? `${path}/` : path;
  const options = { intoFolder: !isContent(source) };
  await withProgress(invocation, basename(source), (onProgress) =>
    to.copyTo(source, target, { ...options, onProgress }),
  );
}

async function receive(invocation: Invocation, from: Container, path: string, to: string, isOneOfSeveral: boolean) {
  const target = isOneOfSeveral && !to.endsWith("/") ? `${to}/` : to;
  const options = { intoFolder: !isContent(path) };
  const { leftOut } = await withProgress(invocation, basename(path), (onProgress) =>
    from.copyFrom(path, target, { ...options, onProgress }),
  );
  if (leftOut.length > 0) invocation.note(`Left out devices, pipes and the like: ${printable(leftOut.join(", "))}`);
}

async function sendArchive(invocation: Invocation, to: Container, path: string): Promise<void> {
  if (invocation.terminal.stdin.isTTY)
    throw new UsageError("the input is a terminal; read the archive from a file or a pipe");
  await withProgress(invocation, "archive", (onProgress) =>
    to.putArchive(path, invocation.terminal.stdin, { onProgress }),
  );
}

async function receiveArchive(invocation: Invocation, from: Container, path: string): Promise<void> {
  const { terminal, print } = invocation;
  if (terminal.stdout.isTTY) throw new UsageError("the output is a terminal; write the archive to a file or a pipe");
  await withProgress(invocation, "archive", async (onProgress) => {
    for await (const chunk of await from.getArchive(path, { onProgress })) await print(chunk as Buffer);
  });
}

function betweenContainers(from: ContainerPath, to: ContainerPath): string {
  const commands = `cp ${from.name}:${from.path} - | k8s-cri-client cp - ${to.name}:${to.path}`;
  return `cannot copy between containers; copy an archive through a pipe: k8s-cri-client ${commands}`;
}

const help = `
A path in a container is CONTAINER:PATH, with any name of the container: web:/etc, shop/web/nginx:/etc. Its path is
absolute. Paths of this machine that have a colon begin with ./ or /.
A source is copied into a destination that is an existing folder or ends with a slash; otherwise the destination
becomes a copy of the source. A source that ends with /. stands for its content.
The container needs tar, sh, ls, cat and mkdir.

Examples:
  k8s-cri-client cp site web:/srv/
  k8s-cri-client cp web/nginx:/var/log/nginx ./logs
  k8s-cri-client cp web:/etc - | tar -t`;
