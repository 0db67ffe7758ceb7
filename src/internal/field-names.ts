/** The camelCase key of a field name in snake_case: `log_directory` → `logDirectory`. */
export function camelCase(name: string): string {
  return name.replace(/_([a-zA-Z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** Field names that the schema spells in camelCase. */
const camelCaseInSchema: ReadonlySet<string> = new Set(["uidMappings", "gidMappings"]);

/** The schema's field name of a camelCase key: `logDirectory` → `log_directory`, `CDIDevices` → `CDI_devices`. */
export function snakeCase(key: string): string {
  if (camelCaseInSchema.has(key)) return key;
  return key.replace(/(?<=[a-z0-9])[A-Z]|(?<=[A-Z])[A-Z](?=[a-z])/g, (letter) => `_${letter.toLowerCase()}`);
}

/** A name in lower case without separators, to compare spellings. */
export function plain(name: string): string {
  return name.replace(/[-_\s]/g, "").toLowerCase();
}

/** The path of a key or an index within a field, as JavaScript spells it: `labels.app`, `labels["a/b"]`, `mounts[0]`. */
export function fieldPath(parent: string, key: string | number): string {
  if (typeof key === "number") return `${parent}[${key}]`;
  if (!/^[A-Za-z_$][\w$]*$/.test(key)) return `${parent}[${JSON.stringify(key)}]`;
  return parent === "" ? key : `${parent}.${key}`;
}
