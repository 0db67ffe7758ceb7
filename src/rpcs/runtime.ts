import { CriError } from "../errors.js";
import type { CallOptions } from "../options.js";
import type { RuntimeConfig, RuntimeConfigResponse, StatusResponse, VersionResponse } from "../proto.js";
import type { Connection } from "../transport/connection.js";
import { startBudget } from "./budget.js";
import { demand } from "./checked.js";
import { invoke } from "./invoke.js";

/** Version: which runtime answers, and which CRI it speaks. */
export async function version(connection: Connection, options?: CallOptions): Promise<VersionResponse> {
  const reply = await invoke(connection, options, (o) => connection.runtime.version({}, o));
  const { version, runtimeName, runtimeVersion, runtimeApiVersion } = reply;
  demand(connection, "RuntimeService/Version", { version, runtimeName, runtimeVersion, runtimeApiVersion });
  connection.rememberName(runtimeName);
  return reply;
}

/**
 * Whether the runtime may answer a creation with the id of an older object of the same identity, as CRI-O does where containerd says
 * that the name is taken. Asked once per connection; a runtime that does not say what it is may.
 */
export async function mayAnswerWithOlder(connection: Connection, options: CallOptions): Promise<boolean> {
  return (await runtimeName(connection, options)) !== "containerd";
}

/**
 * Whether the runtime is Docker behind cri-dockerd, which replaces a container of the same name that has not been started yet, and leaves
 * a pod behind whose creation failed.
 */
export async function isDocker(connection: Connection, options: CallOptions): Promise<boolean> {
  return (await runtimeName(connection, options)) === "docker";
}

/**
 * Whether the runtime is CRI-O, which lets a creation wait for an earlier one of the same name until its deadline, even when that is
 * done: the creation after it gets the id.
 */
export async function isCriO(connection: Connection, options: CallOptions): Promise<boolean> {
  return (await runtimeName(connection, options)) === "cri-o";
}

/** The runtime's name, such as `cri-o`, asked once per connection; undefined if the runtime does not answer. */
export async function runtimeName(connection: Connection, options: CallOptions): Promise<string | undefined> {
  try {
    return connection.runtimeName ?? (await version(connection, options)).runtimeName;
  } catch (error) {
    if (!CriError.is(error)) throw error;
    return undefined;
  }
}

/** Status: conditions, handlers and features; with `verbose` also the runtime's own diagnostics in `info`. */
export async function status(connection: Connection, verbose: boolean, options?: CallOptions): Promise<StatusResponse> {
  const reply = await invoke(connection, options, (o) => connection.runtime.status({ verbose }, o));
  const types = new Set(reply.status?.conditions.map((condition) => condition.type));
  demand(connection, "RuntimeService/Status", {
    "status.conditions[RuntimeReady]": types.has("RuntimeReady") || undefined,
    "status.conditions[NetworkReady]": types.has("NetworkReady") || undefined,
  });
  return reply;
}

/** RuntimeConfig: what the kubelet must agree on with the runtime, that is, the cgroup driver. */
export function runtimeConfig(connection: Connection, options?: CallOptions): Promise<RuntimeConfigResponse> {
  return invoke(connection, options, (o) => connection.runtime.runtimeConfig({}, o));
}

/** UpdateRuntimeConfig: tells the runtime the node's pod CIDR. */
export async function updateRuntimeConfig(
  connection: Connection,
  config: Partial<RuntimeConfig>,
  options?: CallOptions,
): Promise<void> {
  await invoke(connection, options, (o) => connection.runtime.updateRuntimeConfig({ runtimeConfig: config }, o));
}

/** How long one look of {@link waitForReady} may take: a runtime that does not answer is not ready. */
const readinessTimeoutMs = 10_000;

/**
 * Polls Status until the runtime is ready, and its network too if that is wanted. A Status without conditions counts as not ready:
 * a runtime may answer before it has assessed itself.
 */
export async function waitForReady(connection: Connection, network: boolean, options: CallOptions): Promise<void> {
  const budget = startBudget(connection, options, undefined);
  for (let round = 1; ; round++) {
    const timeoutMs = Math.min(readinessTimeoutMs, budget.leftMs() ?? readinessTimeoutMs);
    try {
      const { status: now } = await status(connection, false, { ...budget.options(), timeoutMs });
      const ready = (type: string) => now?.conditions.some((condition) => condition.type === type && condition.status);
      if (ready("RuntimeReady") && (!network || ready("NetworkReady"))) return;
    } catch (error) {
      const over = (budget.leftMs() ?? 1) <= 0;
      if (over || !CriError.is(error, "UNAVAILABLE", "DEADLINE_EXCEEDED", "INVALID_RESPONSE")) throw error;
    }
    await budget.sleep(Math.min(1_000, 50 * round));
  }
}
