const builtIns = [Map, Set, Promise];

/** Returns the type of a value for error messages, without its contents. Never throws. */
export function typeName(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "an array";
  if (value instanceof Uint8Array) return "bytes";
  const builtIn = builtIns.find((type) => value instanceof type);
  if (builtIn) return `a ${builtIn.name}`;
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
