import { invalid, isSet, refuse, requiredString } from "../../input/check.js";
import { isRecord } from "../../internal/record.js";
import { readYaml } from "../../json/yaml/yaml-text.js";
import { checkNodeOverride, type NodeOverrides } from "./node-overrides.js";

/** The settings of a kubelet's configuration for {@link describeNode}. */
export interface KubeletSettings {
  overrides: NodeOverrides;
  /** The fields of the configuration that have no effect here, such as `port` or `featureGates.SomeFeature`. */
  ignored: readonly string[];
}

/** The fields that become a setting as they are, by their name in the configuration. */
const sameValue: Readonly<Record<string, keyof NodeOverrides>> = {
  podLogsDir: "podLogsDirectory",
  clusterDNS: "clusterDns",
  clusterDomain: "clusterDomain",
  resolvConf: "resolvConf",
  cgroupDriver: "cgroupDriver",
  cgroupsPerQOS: "cgroupsPerQos",
  cgroupRoot: "cgroupRoot",
  seccompDefault: "seccompDefault",
  cpuCFSQuota: "cpuCfsQuota",
  memoryThrottlingFactor: "memoryThrottlingFactor",
  memoryReservationPolicy: "memoryReservationPolicy",
  singleProcessOOMKill: "singleProcessOomKill",
  podPidsLimit: "podPidsLimit",
  allowedUnsafeSysctls: "allowedUnsafeSysctls",
  kubeReserved: "kubeReserved",
  systemReserved: "systemReserved",
  evictionHard: "evictionHard",
  "memorySwap.swapBehavior": "swapBehavior",
  "featureGates.MemoryQoS": "memoryQos",
  "featureGates.ContainerStopSignals": "containerStopSignals",
};

/** The fields with durations, which become milliseconds. */
const durations: Readonly<Record<string, keyof NodeOverrides>> = {
  cpuCFSQuotaPeriod: "cpuCfsQuotaPeriodMs",
  "crashLoopBackOff.maxContainerRestartPeriod": "maxRestartDelayMs",
};

/** The fields that hold other fields. */
const groups = new Set(["memorySwap", "featureGates", "crashLoopBackOff"]);

/**
 * Reads a `KubeletConfiguration` (`kubelet.config.k8s.io/v1beta1`), so that pods run here with the settings that they have on the nodes
 * of a cluster. Fields that are not set keep what `describeNode` finds. The fields of pods and of the node's resources are used; those
 * of the kubelet's own servers, images and evictions are reported as ignored.
 *
 * ```ts
 * const { overrides } = fromKubeletConfiguration(await readFile("/var/lib/kubelet/config.yaml", "utf8"));
 * const node = await describeNode(cri, overrides);
 * ```
 *
 * @param document YAML or JSON, or the parsed object
 * @throws InvalidInputError for a malformed document or a field with an invalid value
 */
export function fromKubeletConfiguration(document: string | object): KubeletSettings {
  const configuration = typeof document === "string" ? parse(document) : document;
  if (!isRecord(configuration)) return invalid("document", "must be a KubeletConfiguration", configuration);
  const { apiVersion, kind, ...fields } = configuration;
  if (kind !== "KubeletConfiguration") invalid("document.kind", 'must be "KubeletConfiguration"', kind);
  if (apiVersion !== "kubelet.config.k8s.io/v1beta1") {
    invalid("document.apiVersion", 'must be "kubelet.config.k8s.io/v1beta1"', apiVersion);
  }
  const overrides: Record<string, unknown> = {};
  const ignored: string[] = [];
  for (const [name, value] of flatten(fields)) {
    // Configurations that a program wrote have empty strings and "0s" for what is not set.
    const isUnset = !isSet(value) || (value === "" && name !== "resolvConf") || value === "0s";
    const key = sameValue[name] ?? durations[name];
    const field = `document.${name}`;
    if (key === undefined) ignored.push(name);
    else if (!isUnset) {
      overrides[key] = checkNodeOverride(key, name in durations ? milliseconds(value, field) : value, field);
    }
  }
  return { overrides, ignored };
}

function parse(text: string): unknown {
  const [document, second] = readYaml(text);
  const fault = document?.faults[0];
  if (fault) refuse("document", fault.message);
  if (second) refuse("document", "must be one document");
  return document?.value;
}

function* flatten(fields: Readonly<Record<string, unknown>>): Generator<[string, unknown]> {
  for (const [name, value] of Object.entries(fields)) {
    if (!groups.has(name)) yield [name, value];
    else if (isRecord(value)) for (const [key, inner] of Object.entries(value)) yield [`${name}.${key}`, inner];
    else if (isSet(value)) invalid(`document.${name}`, "must be an object", value);
  }
}

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

/** Parses a duration as Kubernetes writes it: `100ms`, `1m30s`. */
function milliseconds(value: unknown, field: string): number {
  const text = requiredString(value, field);
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text) || text.length > 64) {
    return invalid(field, 'must be a duration such as "100ms" or "1m30s"', text);
  }
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)];
  return parts.reduce((total, [, amount, unit = ""]) => total + Number(amount) * (unitMs[unit] ?? 0), 0);
}
