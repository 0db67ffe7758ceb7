import { isUtf8 } from "node:buffer";
import type { KeyValue } from "../proto.js";
import { at, invalid, isSet, list, object, refuse, typeName } from "./check.js";

/** One environment variable. */
export interface EnvVar {
  /** Its name: anything but the empty string, without `=` and NUL. */
  name: string;
  /** Its value: a string, or bytes that are UTF-8. @defaultValue "" */
  value?: string | Uint8Array | undefined;
}

/**
 * Environment variables: an object, or a list where order or repetition matters (of two equal names the later one counts).
 * Entries of an object that are `undefined` are left out, so `{ ...process.env }` fits.
 */
export type Environment = Readonly<Record<string, string | Uint8Array | undefined>> | readonly EnvVar[];

const encoder = new TextEncoder();

/** Values are secrets and appear in no error. */
export function toEnvs(env: Environment | null | undefined, field: string): KeyValue[] {
  if (!isSet(env)) return [];
  if (Array.isArray(env)) {
    return list(env as readonly EnvVar[], field).map((entry, index) => {
      const path = at(field, index);
      if (typeof entry !== "object") refuse(path, `must be { name, value }, got ${typeName(entry)}`);
      const { name, value } = object(entry, path, { name: true, value: true });
      return { key: variableName(name, at(path, "name")), value: bytes(value ?? "", at(path, "value")) };
    });
  }
  if (typeof env !== "object")
    return refuse(field, `must be an object or an array of { name, value }, got ${typeName(env)}`);
  return Object.entries(env)
    .filter(([, value]) => isSet(value))
    .map(([name, value]) => ({ key: variableName(name, field), value: bytes(value, at(field, name)) }));
}

function variableName(name: unknown, field: string): string {
  if (typeof name !== "string" || name === "") return invalid(field, "needs a name for every variable", name);
  // A name with "=" is most likely "NAME=value" in one string: show nothing from the sign on.
  if (name.includes("=")) return invalid(field, "a name must not contain '='", `${name.slice(0, name.indexOf("="))}=…`);
  return name.includes("\0") ? refuse(field, "a name must not contain a NUL character") : name;
}

function bytes(value: unknown, field: string): Uint8Array {
  if (typeof value !== "string" && !(value instanceof Uint8Array)) {
    return refuse(field, `must be a string or bytes, got ${typeName(value)}`);
  }
  const encoded = typeof value === "string" ? encoder.encode(value) : Uint8Array.from(value);
  // Runtimes keep the environment as JSON, where any other byte becomes U+FFFD on its way to the process.
  if (!isUtf8(encoded))
    refuse(field, "must be UTF-8: runtimes replace other bytes; encode the value, for instance as base64");
  return encoded.includes(0) ? refuse(field, "must not contain a NUL character") : encoded;
}
