import { refuse, typeName } from "../../input/check.js";
import { fieldPath } from "../../internal/field-names.js";
import { isRecord } from "../../internal/record.js";
import { DockerConfig } from "./docker-config.js";

/**
 * A pull secret of Kubernetes, as `kubectl get secret -o json` prints it. Its type is `kubernetes.io/dockerconfigjson` or
 * `kubernetes.io/dockercfg`. Other fields are ignored.
 */
export interface PullSecret {
  type?: string | undefined;
  metadata?: { name?: string | undefined; namespace?: string | undefined } | undefined;
  /** Values in base64. */
  data?: Readonly<Record<string, string>> | undefined;
  /** Values as text. They replace those of {@link data}, as in the API server. */
  stringData?: Readonly<Record<string, string>> | undefined;
}

/** A pull secret with its parsed configuration. */
export interface ReadSecret {
  /** `Secret namespace/name` */
  readonly name: string;
  readonly config: DockerConfig;
}

/** The key of each type. */
export const pullSecretKeys = {
  "kubernetes.io/dockerconfigjson": ".dockerconfigjson",
  "kubernetes.io/dockercfg": ".dockercfg",
} as const;

const keys: ReadonlyMap<unknown, string> = new Map(Object.entries(pullSecretKeys));

/** Reads a pull secret. No error shows its data. @throws InvalidInputError if it is malformed or has another type */
export function readPullSecret(secret: PullSecret, field: string): ReadSecret {
  if (!isRecord(secret)) return refuse(field, `must be a Secret, got ${typeName(secret)}`);
  const { kind, type, metadata, data, stringData }: Readonly<Record<string, unknown>> = secret;
  if (kind !== undefined && kind !== "Secret") refuse(fieldPath(field, "kind"), "must be Secret");
  const key = keys.get(type);
  if (key === undefined) refuse(fieldPath(field, "type"), `must be ${[...keys.keys()].join(" or ")}`);
  const text = textOf(stringData, fieldPath(field, "stringData"), key);
  const encoded = textOf(data, fieldPath(field, "data"), key);
  const path = fieldPath(fieldPath(field, text === undefined ? "data" : "stringData"), key);
  const content = text ?? (encoded === undefined ? refuse(path, "is required") : decode(encoded, path));
  const config = new DockerConfig(content, path);
  if (key === ".dockerconfigjson" && !config.hasAuths) refuse(fieldPath(path, "auths"), "is required");
  return { name: nameOf(metadata, field), config };
}

function textOf(values: unknown, field: string, key: string): string | undefined {
  if (values === undefined || values === null) return undefined;
  if (!isRecord(values)) return refuse(field, `must be an object of strings, got ${typeName(values)}`);
  const value = values[key];
  if (value === undefined || value === null) return undefined;
  return typeof value === "string" ? value : refuse(fieldPath(field, key), `must be a string, got ${typeName(value)}`);
}

function decode(value: string, field: string): string {
  const digits = value.replace(/\s/g, "");
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(digits)) refuse(field, "must be base64; plain text belongs in stringData");
  return Buffer.from(digits, "base64").toString("utf8");
}

function nameOf(metadata: unknown, field: string): string {
  const { name, namespace } = isRecord(metadata) ? metadata : {};
  if (typeof name !== "string" || name === "") return field;
  return typeof namespace === "string" && namespace !== "" ? `Secret ${namespace}/${name}` : `Secret ${name}`;
}
