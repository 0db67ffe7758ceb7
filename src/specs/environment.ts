import { isUtf8 } from "node:buffer";
import { invalid, isSet, list, refuse, typeName } from "../input/check.js";
import { ObjectReader } from "../input/object-reader.js";
import { fieldPath } from "../internal/field-names.js";
import { isRecord } from "../internal/record.js";
import type { KeyValue } from "../proto.js";

/** One environment variable. */
export interface EnvVar {
  /** The name: not empty, without `=` and NUL. */
  name: string;
  /** The value: a string, or bytes that are UTF-8. @defaultValue "" */
  value?: string | Uint8Array | undefined;
}

/**
 * Environment variables: an object, or an array where order or repetition matters (of two equal names, the later one applies).
 * Entries of an object that are `undefined` are omitted, so `{ ...process.env }` works.
 */
export type Environment = Readonly<Record<string, string | Uint8Array | undefined>> | readonly EnvVar[];

const encoder = new TextEncoder();

/** Converts environment variables. Errors do not show values, which are secrets. */
export function toEnvs(env: Environment | null | undefined, field: string): KeyValue[] {
  if (!isSet(env)) return [];
  if (Array.isArray(env)) return list(env as readonly EnvVar[], field, toEnv);
  if (!isRecord(env)) return refuse(field, `must be an object or an array of { name, value }, got ${typeName(env)}`);
  return Object.entries(env)
    .filter(([, value]) => isSet(value))
    .map(([name, value]) => ({ key: variableName(name, field), value: bytes(value, fieldPath(field, name)) }));
}

function toEnv(entry: EnvVar, field: string): KeyValue {
  if (typeof entry !== "object") refuse(field, `must be { name, value }, got ${typeName(entry)}`);
  const variable = new ObjectReader(entry, field, { name: true, value: true });
  return {
    key: variable.read("name", variableName),
    value: variable.optional("value", bytes) ?? new Uint8Array(),
  };
}

function variableName(name: unknown, field: string): string {
  if (typeof name !== "string" || name === "") return invalid(field, "needs a name for every variable", name);
  // A name with "=" is most likely "NAME=value" in one string: the error shows nothing after the sign.
  if (name.includes("=")) return invalid(field, "a name must not contain '='", `${name.slice(0, name.indexOf("="))}=…`);
  return name.includes("\0") ? refuse(field, "a name must not contain a NUL character") : name;
}

function bytes(value: unknown, field: string): Uint8Array {
  if (typeof value !== "string" && !(value instanceof Uint8Array)) {
    return refuse(field, `must be a string or bytes, got ${typeName(value)}`);
  }
  const encoded = typeof value === "string" ? encoder.encode(value) : Uint8Array.from(value);
  // Runtimes keep the environment as JSON, which replaces other bytes with U+FFFD before they reach the process.
  if (!isUtf8(encoded))
    refuse(field, "must be UTF-8: runtimes replace other bytes; encode the value, for instance as base64");
  return encoded.includes(0) ? refuse(field, "must not contain a NUL character") : encoded;
}
