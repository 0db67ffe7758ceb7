import { randomBytes } from "node:crypto";
import { untilAborted } from "../../../internal/abort.js";
import { type Manifests, type PodManifest, readManifestFiles, readManifests } from "../../../kubernetes/index.js";
import { ExitError, type Invocation, UsageError } from "../../command.js";
import { printable } from "../../output/table.js";
import type { Terminal } from "../../terminal.js";

/** What a user wants to run. */
export interface InputOptions {
  file?: string[];
  namespace?: string;
  ignoreUnknown?: boolean;
  name?: string;
  env?: Record<string, string>;
  hostNetwork?: boolean;
}

/** The largest manifest that is read from stdin, in bytes: the limit of `readManifests`. */
const maxStdinBytes = 3 * 1024 * 1024;

/** Reads the manifests that the options name, or makes one for an image. Notes what has no effect. */
export async function readInput(
  { terminal, note }: Invocation,
  [image, ...command]: readonly string[],
  options: InputOptions,
): Promise<Pick<Manifests, "pods" | "objects">> {
  const { file = [], namespace, ignoreUnknown } = options;
  if (image !== undefined) {
    if (file.length > 0) throw new UsageError(`run either --file or the image ${image}, not both`);
    const { pods, objects } = readManifests(podOf(image, command, options), { namespace });
    return { pods, objects };
  }
  if (file.length === 0) throw new UsageError("run what? Name a manifest with --file, or an image");
  const { name, env, hostNetwork } = options;
  if (name !== undefined || env !== undefined || hostNetwork) {
    throw new UsageError("--name, --env and --host-network are for images; set them in the manifest");
  }
  const reading = { namespace, unknownKinds: ignoreUnknown ? "ignore" : "refuse" } as const;
  const paths = file.filter((path) => path !== "-");
  const read = [
    ...(paths.length > 0 ? [await readManifestFiles(paths, { ...reading, signal: terminal.signal })] : []),
    ...(paths.length < file.length ? [readManifests(await readStdin(terminal), reading)] : []),
  ];
  for (const ignored of read.flatMap(({ ignored }) => ignored)) {
    const place = ignored.line === undefined ? "" : `${ignored.file ?? "stdin"}:${ignored.line}:${ignored.column}: `;
    note(printable(`${place}${ignored.path || ignored.object || "a document"} is ignored: ${ignored.reason}`));
  }
  return {
    pods: read.flatMap(({ pods }) => pods),
    objects: {
      configMaps: read.flatMap(({ objects }) => objects.configMaps),
      secrets: read.flatMap(({ objects }) => objects.secrets),
      serviceAccounts: read.flatMap(({ objects }) => objects.serviceAccounts),
      runtimeClasses: read.flatMap(({ objects }) => objects.runtimeClasses),
      services: read.flatMap(({ objects }) => objects.services),
    },
  };
}

async function readStdin({ stdin, signal }: Terminal): Promise<Buffer> {
  const read = async () => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of stdin) {
      chunks.push(Buffer.from(chunk));
      bytes += chunk.length;
      if (bytes > maxStdinBytes) throw new ExitError(`the input has more than ${maxStdinBytes} bytes`, 125);
    }
    return Buffer.concat(chunks);
  };
  return untilAborted(read(), signal);
}

/** Makes the manifest of a pod that runs an image once. */
function podOf(image: string, command: readonly string[], { name, env = {}, hostNetwork }: InputOptions): PodManifest {
  const base = /([^/:@]+)(?::[^/]*)?(?:@.*)?$/.exec(image)?.[1] ?? "";
  const container =
    base
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .slice(0, 50)
      .replace(/^-+|-+$/g, "") || "main";
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: name ?? `${container}-${randomBytes(3).toString("hex")}` },
    spec: {
      restartPolicy: "Never",
      hostNetwork: hostNetwork ?? false,
      containers: [
        {
          name: container,
          image,
          // As with docker run: arguments of the image's entrypoint, or the command if it has none.
          ...(command.length > 0 && { args: [...command] }),
          env: Object.entries(env).map(([key, value]) => ({ name: key, value })),
        },
      ],
    },
  };
}
