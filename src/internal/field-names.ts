/** Converts a field name in snake_case to its camelCase key: `log_directory` → `logDirectory`. */
export function camelCase(name: string): string {
  return name.replace(/_([a-zA-Z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** Field names that the schema spells in camelCase. */
const camelCaseInSchema: ReadonlySet<string> = new Set(["uidMappings", "gidMappings"]);

/** Converts a camelCase key to the schema's field name: `logDirectory` → `log_directory`, `CDIDevices` → `CDI_devices`. */
export function snakeCase(key: string): string {
  if (camelCaseInSchema.has(key)) return key;
  return key.replace(/(?<=[a-z0-9])[A-Z]|(?<=[A-Z])[A-Z](?=[a-z])/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Converts a name to lower case without separators, to compare spellings. */
export function normalizeName(name: string): string {
  return name.replace(/[-_\s]/g, "").toLowerCase();
}

/** Returns the path of a key or an index within a field, as JavaScript spells it: `labels.app`, `labels["a/b"]`, `mounts[0]`. */
export function fieldPath(parent: string, key: string | number): string {
  if (typeof key === "number") return `${parent}[${key}]`;
  if (!/^[A-Za-z_$][\w$]*$/.test(key)) return `${parent}[${JSON.stringify(key)}]`;
  return parent === "" ? key : `${parent}.${key}`;
}
