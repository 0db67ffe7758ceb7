import { CriError } from "../errors.js";
import { withToJson } from "../json/stringify.js";
import type { CallOptions } from "../options.js";
import { type RuntimeConfig, RuntimeConfigResponse, type StatusResponse, type VersionResponse } from "../proto.js";
import { asWorkflow } from "../tracing/workflow.js";
import type { Connection } from "../transport/connection.js";
import { startBudget } from "./budget.js";
import { requireFields } from "./checked.js";
import { invoke } from "./invoke.js";

/** Calls Version. Returns the name and version of the runtime, and its version of CRI. */
export async function version(connection: Connection, options?: CallOptions): Promise<VersionResponse> {
  const reply = await invoke(connection, options, (o) => connection.runtime.version({}, o));
  const { version, runtimeName, runtimeVersion, runtimeApiVersion } = reply;
  requireFields(connection, "RuntimeService/Version", { version, runtimeName, runtimeVersion, runtimeApiVersion });
  connection.rememberName(runtimeName);
  return reply;
}

/** Returns whether the runtime is Docker behind cri-dockerd. */
export async function isDocker(connection: Connection, options: CallOptions): Promise<boolean> {
  return (await runtimeName(connection, options)) === "docker";
}

/** Returns the runtime's name, such as `cri-o`; undefined if the runtime does not answer. Calls Version once per connection. */
export async function runtimeName(connection: Connection, options: CallOptions): Promise<string | undefined> {
  try {
    return connection.runtimeName ?? (await version(connection, options)).runtimeName;
  } catch (error) {
    if (!CriError.is(error)) throw error;
    return undefined;
  }
}

/** Calls Status. Returns conditions, handlers and features; with `verbose` also the runtime's diagnostics in `info`. */
export async function status(connection: Connection, verbose: boolean, options?: CallOptions): Promise<StatusResponse> {
  const reply = await invoke(connection, options, (o) => connection.runtime.status({ verbose }, o));
  const types = new Set(reply.status?.conditions.map((condition) => condition.type));
  requireFields(connection, "RuntimeService/Status", {
    "status.conditions[RuntimeReady]": types.has("RuntimeReady") || undefined,
    "status.conditions[NetworkReady]": types.has("NetworkReady") || undefined,
  });
  return reply;
}

/** Calls RuntimeConfig. Returns the cgroup driver, on which the kubelet and the runtime must agree. */
export async function runtimeConfig(connection: Connection, options?: CallOptions): Promise<RuntimeConfigResponse> {
  const reply = await invoke(connection, options, (o) => connection.runtime.runtimeConfig({}, o));
  return withToJson(RuntimeConfigResponse, reply);
}

/** Sets the node's pod CIDR (UpdateRuntimeConfig). */
export async function updateRuntimeConfig(
  connection: Connection,
  config: Partial<RuntimeConfig>,
  options?: CallOptions,
): Promise<void> {
  await invoke(connection, options, (o) => connection.runtime.updateRuntimeConfig({ runtimeConfig: config }, o));
}

/** The time limit of each Status call of {@link waitForReady}. A runtime that does not answer is not ready. */
const pollTimeoutMs = 10_000;

/**
 * Polls Status until the runtime is ready.
 *
 * @param network whether its network must be ready, too
 */
export const waitForReady = asWorkflow({ name: "waitForReady" }, pollStatus);

async function pollStatus(connection: Connection, network: boolean, options: CallOptions): Promise<void> {
  const budget = startBudget(connection, options, undefined);
  for (let round = 1; ; round++) {
    const timeoutMs = Math.min(pollTimeoutMs, budget.leftMs() ?? pollTimeoutMs);
    try {
      const { status: current } = await status(connection, false, { ...budget.options(), timeoutMs });
      // A runtime may answer before it has any conditions: it is not ready yet.
      const ready = (type: string) =>
        current?.conditions.some((condition) => condition.type === type && condition.status);
      if (ready("RuntimeReady") && (!network || ready("NetworkReady"))) return;
    } catch (error) {
      const isOver = (budget.leftMs() ?? 1) <= 0;
      if (isOver || !CriError.is(error, "UNAVAILABLE", "DEADLINE_EXCEEDED", "INVALID_RESPONSE")) throw error;
    }
    await budget.sleep(Math.min(1_000, 50 * round));
  }
}
