import { isIP } from "node:net";
import {
  absolutePath,
  flag,
  integer,
  invalid,
  isSet,
  list,
  maxUint32,
  nonEmptyStrings,
  oneOf,
  optionalPath,
  optionalString,
  refuse,
  requiredString,
  stringMap,
} from "../../input/check.js";
import { type FieldsOf, ObjectReader, object } from "../../input/object-reader.js";
import { fieldPath } from "../../internal/field-names.js";
import { isRecord } from "../../internal/record.js";
import { type Quantity, wholeUnits } from "../../specs/quantity.js";
import type { QuantityManifest, ResourceList } from "../manifest/container.js";
import type { NodeReservations } from "./allocatable.js";
import type { NodeConfig, ResolverConfig } from "./node-config.js";

/** Settings of a node that replace those that {@link describeNode} finds. Fields that are not set keep what it finds. */
export type NodeOverrides = { [Key in keyof NodeConfig]?: NodeConfig[Key] | undefined } & NodeReservations & {
    /**
     * The file with the resolver settings; `""` for none. @defaultValue `/etc/resolv.conf`, or the file of systemd-resolved behind its
     * stub
     */
    resolvConf?: string | undefined;
  };

type Check<T> = (value: unknown, field: string) => T;

/** The check of each field. */
const checks: { readonly [Key in keyof Required<NodeOverrides>]: Check<NodeOverrides[Key]> } = {
  rootDirectory: directory,
  podLogsDirectory: directory,
  seccompDirectory: directory,
  nodeName: requiredString,
  addresses: ipAddresses,
  capacity: resources,
  allocatable: resources,
  reservedMemory: (value, field) => {
    wholeUnits(value as Quantity, field);
    return value as QuantityManifest;
  },
  clusterDns: ipAddresses,
  clusterDomain: optionalString,
  resolver,
  cgroupDriver: choice("cgroupfs", "systemd"),
  cgroupVersion: (value, field) => (value === 1 || value === 2 ? value : invalid(field, "must be 1 or 2", value)),
  cgroupsPerQos: flag,
  cgroupRoot: optionalPath,
  seccompDefault: flag,
  sharedCpus: optionalString,
  cpuCfsQuota: flag,
  cpuCfsQuotaPeriodMs: numberBetween(1, 1_000),
  swapBehavior: choice("NoSwap", "LimitedSwap"),
  swapController: flag,
  swapCapacityBytes: wholeNumber(0),
  memoryQos: flag,
  memoryThrottlingFactor: numberBetween(0, 1),
  memoryReservationPolicy: choice("None", "TieredReservation"),
  containerStopSignals: flag,
  singleProcessOomKill: flag,
  podPidsLimit: wholeNumber(-1),
  hugePageSizesBytes: (value, field) => list(value as readonly unknown[], field, wholeNumber(1)),
  recursiveReadOnlyMounts: flagMap,
  selinuxEnabled: flag,
  maskedPaths: (value, field) => list(value as readonly unknown[], field, absolutePath),
  allowedUnsafeSysctls: (value, field) => nonEmptyStrings(value as readonly string[], field),
  userNamespaceFirstId: wholeNumber(0, maxUint32),
  userNamespaceRanges: wholeNumber(1, 65_535),
  maxRestartDelayMs: numberBetween(1, 300_000),
  kubeReserved: resources,
  systemReserved: resources,
  evictionHard: (value, field) => stringMap(value as Readonly<Record<string, string>>, field),
  resolvConf: optionalPath,
};

const fields = fieldsOf<NodeOverrides>(checks);

function fieldsOf<T>(table: { readonly [Key in keyof T]-?: unknown }): FieldsOf<T> {
  return Object.fromEntries(Object.keys(table).map((key) => [key, true])) as FieldsOf<T>;
}

/** Checks the overrides of a caller, and returns those that are set. @throws InvalidInputError */
export function checkNodeOverrides(given: NodeOverrides, path: string): NodeOverrides {
  const entries = Object.entries(object(given, path, fields)).filter(([, value]) => isSet(value));
  return Object.fromEntries(
    entries.map(([key, value]) => [key, checkNodeOverride(key as keyof NodeOverrides, value, fieldPath(path, key))]),
  );
}

/** Checks a whole description of a node, and returns a copy. @throws InvalidInputError */
export function checkNode(given: NodeConfig, path: string): NodeConfig {
  if (!isSet(given)) refuse(path, "is required: describeNode returns it");
  const { resolvConf, kubeReserved, systemReserved, evictionHard, ...nodeChecks } = checks;
  const missing = Object.keys(nodeChecks).find(
    (key) => !isSet(given[key as keyof NodeConfig]) && !Object.hasOwn(optional, key),
  );
  const node = checkNodeOverrides(object(given, path, fieldsOf<NodeConfig>(nodeChecks)), path);
  if (missing !== undefined) refuse(fieldPath(path, missing), "is required: describeNode returns it");
  return structuredClone(node) as NodeConfig;
}

type OptionalSetting = {
  [Key in keyof NodeConfig]-?: undefined extends NodeConfig[Key] ? Key : never;
}[keyof NodeConfig];

/** The settings that may be undefined. */
const optional: Readonly<Record<OptionalSetting, true>> = {
  maskedPaths: true,
  memoryThrottlingFactor: true,
  reservedMemory: true,
  singleProcessOomKill: true,
};

/** Checks one override. @throws InvalidInputError */
export function checkNodeOverride(key: keyof NodeOverrides, value: unknown, field: string): unknown {
  return checks[key](value, field);
}

function directory(value: unknown, field: string): string {
  const path = absolutePath(value, field).replace(/(?<=.)\/+$/, "");
  return path === "/" ? invalid(field, "must not be the root of the file system", path) : path;
}

function ipAddresses(value: unknown, field: string): string[] {
  return list(value as readonly unknown[], field, (item, path) => {
    const address = requiredString(item, path);
    return isIP(address) === 0 ? invalid(path, "must be an IP address", address) : address;
  });
}

function resources(value: unknown, field: string): ResourceList {
  if (!isRecord(value)) return invalid(field, "must be an object of quantities", value);
  for (const [name, amount] of Object.entries(value)) wholeUnits(amount as Quantity, fieldPath(field, name));
  return value as ResourceList;
}

function resolver(value: unknown, field: string): ResolverConfig {
  const config = new ObjectReader(value as ResolverConfig, field, { nameservers: true, searches: true, options: true });
  return {
    nameservers: config.read("nameservers", nonEmptyStrings),
    searches: config.read("searches", nonEmptyStrings),
    options: config.read("options", nonEmptyStrings),
  };
}

function flagMap(value: unknown, field: string): Record<string, boolean> {
  if (!isRecord(value)) return invalid(field, "must be an object of booleans", value);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, flag(item, fieldPath(field, key))]));
}

function choice<T extends string>(first: T, second: T): Check<T> {
  const table = { [first]: first, [second]: second } as Record<T, T>;
  return (value, field) => oneOf<T>(value, field, table, first);
}

function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER): Check<number> {
  return (value, field) => integer(value, field, min, max, min);
}

function numberBetween(min: number, max: number): Check<number> {
  return (value, field) =>
    typeof value === "number" && value >= min && value <= max
      ? value
      : invalid(field, `must be a number from ${min} to ${max}`, value);
}
