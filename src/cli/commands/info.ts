import { type CriClient, CriError, redact } from "../../index.js";
import {
  CgroupDriver,
  ContainerState,
  type FilesystemUsage,
  PodSandboxState,
  type RuntimeCondition,
} from "../../proto.js";
import type { CommandModule } from "../command.js";
import { size } from "../output/cells.js";
import { statusDocument } from "../output/document.js";
import { addObjectOption, properties, structured } from "../output/format.js";

/** `info`: shows the state of the runtime. */
export const info: CommandModule<{ output: "table" | "json" | "yaml" }> = {
  define(command) {
    addObjectOption(
      command,
      "how to print it; JSON and YAML contain the runtime's configuration, as crictl info prints it",
    );
  },

  async run(invocation, _, { output }) {
    const cri = await invocation.connect();
    if (output !== "table") {
      const { status, info: details, runtimeHandlers, features } = redact(await cri.status({ verbose: true }));
      const document = { ...statusDocument(status ?? {}, details), runtimeHandlers, features };
      return invocation.print(await structured(document, output));
    }
    await invocation.print(properties(await summary(cri)));
  },
};

async function summary(cri: CriClient): Promise<Record<string, string | undefined>> {
  const [version, status, pods, containers, images, disks, config] = await Promise.all([
    cri.version(),
    cri.status(),
    cri.pods.list(),
    cri.containers.list(),
    cri.images.list(),
    cri.images.fsInfo(),
    ifSupported(cri.runtimeConfig()),
  ]);
  const ready = pods.filter(({ state }) => state === PodSandboxState.SANDBOX_READY).length;
  const running = containers.filter(({ state }) => state === ContainerState.CONTAINER_RUNNING).length;
  const driver = config?.linux && CgroupDriver[config.linux.cgroupDriver];
  return {
    Endpoint: cri.endpoint,
    "Image endpoint": cri.imageEndpoint === cri.endpoint ? undefined : cri.imageEndpoint,
    Runtime: `${version.runtimeName} ${version.runtimeVersion} (CRI ${version.runtimeApiVersion})`,
    ...Object.fromEntries((status.status?.conditions ?? []).map((condition) => [condition.type, describe(condition)])),
    "Cgroup driver": driver?.toLowerCase(),
    Handlers: status.runtimeHandlers.map(({ name }) => name || "(default)").join(", ") || undefined,
    Pods: `${pods.length} (${ready} ready)`,
    Containers: `${containers.length} (${running} running)`,
    Images: `${images.length} (${disks.imageFilesystems.map(describeDisk).join(", ")})`,
  };
}

function describe({ status, reason, message }: RuntimeCondition): string {
  return status ? "yes" : `no: ${[reason, message].filter(Boolean).join(": ")}`;
}

function describeDisk({ usedBytes, fsId }: FilesystemUsage): string {
  return `${size(usedBytes?.value.toNumber() ?? 0)} in ${fsId?.mountpoint}`;
}

async function ifSupported<T>(reply: Promise<T>): Promise<T | undefined> {
  try {
    return await reply;
  } catch (error) {
    if (CriError.is(error, "UNIMPLEMENTED")) return undefined;
    throw error;
  }
}
