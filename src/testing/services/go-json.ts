import { Long } from "../../proto.js";

/**
 * A message as Go's encoding/json writes the structs of CRI, which is how runtimes put configurations into verbose replies:
 * names as in the schema, nothing that is zero or empty, 64-bit numbers as numbers.
 */
export function toGoJson(value: unknown): unknown {
  if (Long.isLong(value)) return value.toNumber();
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  if (Array.isArray(value)) return value.map(toGoJson);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).filter(([, field]) => !isEmpty(field));
  return Object.fromEntries(fields.map(([key, field]) => [snakeCase(key), isMap(key) ? field : toGoJson(field)]));
}

const maps = new Set(["labels", "annotations", "sysctls", "unified"]);

/** The keys of a map are the user's own. */
function isMap(key: string): boolean {
  return maps.has(key);
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === 0 || value === "" || value === false) return true;
  if (Long.isLong(value)) return value.isZero();
  if (value instanceof Uint8Array || Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && Object.keys(value).length === 0;
}

function snakeCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
