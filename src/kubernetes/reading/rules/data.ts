import { isRecord } from "../../../internal/record.js";
import type { ConfigMapManifest, SecretManifest } from "../../manifest/objects.js";
import type { Place } from "../schema/place.js";
import type { Draft } from "../schema/schema.js";

/** The largest content of a ConfigMap or Secret. */
const maxBytes = 1024 * 1024;

type Entries = Readonly<Record<string, string | undefined>> | undefined;

/** Checks the keys and the size of a ConfigMap. */
export function configMapData({ data, binaryData }: Draft<ConfigMapManifest>, at: Place): void {
  for (const key of Object.keys(binaryData ?? {})) {
    if (data && Object.hasOwn(data, key)) at.at("binaryData", key).fault("is a key of data, too", "key");
  }
  checkSize(sizeOf(data) + decodedSize(binaryData), at);
}

/** Checks the size of a Secret. Keys of `stringData` replace those of `data`. */
export function secretData({ data, stringData }: Draft<SecretManifest>, at: Place): void {
  checkSize(sizeOf(stringData) + decodedSize(data), at);
}

/** The keys that secrets of a type must have. */
const requiredKeys: Readonly<Record<string, readonly string[]>> = {
  "kubernetes.io/tls": ["tls.crt", "tls.key"],
  "kubernetes.io/ssh-auth": ["ssh-privatekey"],
};

/** Checks that a secret has the keys of its type. */
export function keysOfType({ type = "", data, stringData }: Draft<SecretManifest>, at: Place): void {
  const has = (key: string) => Object.hasOwn(data ?? {}, key) || Object.hasOwn(stringData ?? {}, key);
  for (const key of Object.hasOwn(requiredKeys, type) ? requiredKeys[type]! : []) {
    if (!has(key)) at.at("data").fault(`must have the key ${JSON.stringify(key)} in a secret of type ${type}`);
  }
  if (type === "kubernetes.io/basic-auth" && !has("username") && !has("password")) {
    at.at("data").fault(`must have the key "username" or "password" in a secret of type ${type}`);
  }
}

const documents: Readonly<Record<string, string>> = {
  "kubernetes.io/dockerconfigjson": ".dockerconfigjson",
  "kubernetes.io/dockercfg": ".dockercfg",
};

/** Checks that a pull secret contains a JSON document. Never shows it. */
export function pullSecretDocument({ type = "", data, stringData }: Draft<SecretManifest>, at: Place): void {
  const key = Object.hasOwn(documents, type) ? documents[type]! : undefined;
  if (key === undefined) return;
  const field = stringData && Object.hasOwn(stringData, key) ? "stringData" : "data";
  const entries: Entries = field === "stringData" ? stringData : data;
  if (!entries || !Object.hasOwn(entries, key)) {
    at.at("data").fault(`must have the key ${JSON.stringify(key)} in a secret of type ${type}`);
    return;
  }
  const text = entries[key];
  if (text === undefined) return;
  const json = field === "data" ? Buffer.from(text, "base64").toString("utf8") : text;
  if (!isJsonObject(json)) at.at(field, key).fault("must be a JSON document of registry credentials");
}

function isJsonObject(text: string): boolean {
  try {
    return isRecord(JSON.parse(text));
  } catch {
    return false;
  }
}

function sizeOf(entries: Entries): number {
  return Object.values(entries ?? {}).reduce<number>((sum, text) => sum + Buffer.byteLength(text ?? ""), 0);
}

function decodedSize(entries: Entries): number {
  return Object.values(entries ?? {}).reduce<number>((sum, text) => sum + Buffer.byteLength(text ?? "", "base64"), 0);
}

function checkSize(bytes: number, at: Place): void {
  if (bytes > maxBytes) at.fault(`must have at most ${maxBytes} bytes of data, got ${bytes}`);
}
