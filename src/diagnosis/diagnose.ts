import { checkOptions, checkSignal, checkTimeout, type FieldsOf } from "../input/call-options.js";
import { flag, invalid, optionalString } from "../input/check.js";
import { checkDiscoverOptions } from "../transport/discover-options.js";
import type { Finding } from "./finding.js";
import type { DeepOptions, DiagnoseOptions } from "./options.js";

/** The result of {@link diagnose}. */
export interface Diagnosis {
  /** Whether nothing failed. There may be warnings. */
  readonly ok: boolean;
  /** What was found, in the order of the checks. A check may have several findings. */
  readonly findings: readonly Finding[];
}

const fields: FieldsOf<DiagnoseOptions> = {
  endpoint: true,
  imageEndpoint: true,
  tls: true,
  streamTls: true,
  streamUrl: true,
  allowInsecureTcp: true,
  env: true,
  platform: true,
  configPath: true,
  root: true,
  timeoutMs: true,
  deep: true,
  onFinding: true,
  signal: true,
};

const deepFields: FieldsOf<DeepOptions> = { image: true, auth: true, timeoutMs: true };

/**
 * Checks whether this package can use the runtime of the node, and says what to do about each problem: the endpoint and where it
 * was found, the permissions of the socket, the server and its version, conditions of the runtime, its network, optional features,
 * cgroups, the streaming server, disk space, the clock, and a kubelet on the same runtime. Changes nothing, unless `deep` is set.
 *
 * Whatever is wrong with the node becomes a finding. A check that needs a connection is `skipped` without one.
 *
 * ```ts
 * const { ok, findings } = await diagnose();
 * for (const { check, status, found, remedy } of findings) console.log(status, check, found, remedy ?? "");
 * ```
 *
 * @throws InvalidInputError for an option of a wrong type; the reason of the signal
 */
export async function diagnose(options: DiagnoseOptions = {}): Promise<Diagnosis> {
  checkOptions(options, fields);
  const { env, platform, configPath, root, timeoutMs = 5_000, deep, onFinding, signal } = options;
  checkTimeout(timeoutMs, "timeoutMs");
  checkSignal(signal, "signal");
  checkDiscoverOptions({ env, platform, configPath, root, probeTimeoutMs: timeoutMs });
  optionalString(options.endpoint, "endpoint");
  optionalString(options.imageEndpoint, "imageEndpoint");
  if (onFinding !== undefined && typeof onFinding !== "function") invalid("onFinding", "must be a function", onFinding);
  const pod = deepOptions(deep);
  signal?.throwIfAborted();
  // Loaded when first used: most programs never diagnose anything.
  const { runChecks } = await import("./run-checks.js");
  const findings: Finding[] = [];
  for await (const found of runChecks({ ...options, timeoutMs, deep: pod })) {
    findings.push(found);
    onFinding?.(found);
  }
  return { ok: findings.every(({ status }) => status !== "failure"), findings };
}

function deepOptions(deep: DiagnoseOptions["deep"]): DeepOptions | undefined {
  if (typeof deep !== "object") return flag(deep, "deep") ? {} : undefined;
  checkOptions(deep, deepFields, "deep");
  optionalString(deep.image, "deep.image");
  checkTimeout(deep.timeoutMs, "deep.timeoutMs");
  return deep;
}
