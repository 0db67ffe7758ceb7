import { closest } from "../../../internal/closest.js";
import { isRecord } from "../../../internal/record.js";
import { typeName } from "../../../internal/type-name.js";
import type { Place } from "./place.js";
import type { Draft, FieldRow, Schema } from "./schema.js";
import { isGiven } from "./schema.js";

/** A field that must be set. */
export interface RequiredField<T> {
  required: Schema<T>;
  /** Whether `""` is a value. */
  mayBeEmpty: boolean;
  /** What to do if the field is missing, unless its name says it. */
  remedy: string | undefined;
}

/** The schemas of all fields of a type. The compiler refuses a missing field, an unknown one, and one that is required by mistake. */
export type FieldSchemas<T> = {
  readonly [K in keyof T]-?: undefined extends T[K] ? Schema<NonNullable<T[K]>> : RequiredField<T[K]>;
};

/** Fields of Kubernetes that a type does not have, with the reason. */
export interface OtherFields<T> {
  /** Fields without a meaning on a single node. */
  ignored?: Readonly<Record<string, string>> | undefined;
  /** Fields that this package does not support, although a kubelet does. */
  refused?: Readonly<Record<string, string>> | undefined;
  /** Old names of fields. */
  aliases?: Readonly<Record<string, keyof T & string>> | undefined;
}

/** Checks that concern several fields of an object. */
export type ObjectRule<T> = (value: Draft<T>, at: Place) => void;

export function required<T>(
  schema: Schema<T>,
  { mayBeEmpty = false, remedy }: { mayBeEmpty?: boolean; remedy?: string } = {},
): RequiredField<T> {
  return { required: schema, mayBeEmpty, remedy };
}

/** An object with named fields. */
export function object<T extends object>(
  fields: FieldSchemas<T>,
  { ignored = {}, refused = {}, aliases = {} }: OtherFields<T> = {},
  ...rules: readonly ObjectRule<T>[]
): Schema<T> {
  const schemas = fields as Readonly<Record<string, Schema<unknown> | RequiredField<unknown>>>;
  const known = [...Object.keys(schemas), ...Object.keys(ignored), ...Object.keys(refused), ...Object.keys(aliases)];

  /** Reports the keys that are not read. Returns those that are refused. */
  function checkKeys(value: Readonly<Record<string, unknown>>, at: Place): string[] {
    const faulty: string[] = [];
    for (const key of Object.keys(value)) {
      if (Object.hasOwn(schemas, key) || Object.hasOwn(aliases, key)) continue;
      const field = at.at(key);
      const reason = Object.hasOwn(refused, key) ? refused[key] : undefined;
      if (reason !== undefined) {
        if (isEmpty(value[key])) continue;
        field.fault(`is not supported: ${reason}`, "key");
        faulty.push(key);
      } else if (Object.hasOwn(ignored, key)) {
        if (!isEmpty(value[key])) field.ignored(ignored[key]!);
      } else if (value[key] !== undefined) {
        field.fault(`unknown field${remedy(key)}`, "key");
      }
    }
    return faulty;
  }

  function remedy(key: string): string {
    const meant = closest(key, known);
    if (meant !== undefined) return `; did you mean ${meant}?`;
    const names = Object.keys(schemas);
    return names.length <= 12 ? `; known are ${names.join(", ")}` : "";
  }

  function given(value: Readonly<Record<string, unknown>>, key: string, at: Place): unknown {
    const alias = Object.keys(aliases).find((name) => aliases[name] === key && isGiven(value[name]));
    if (alias === undefined) return value[key];
    if (isGiven(value[key]) && value[key] !== value[alias])
      at.at(alias).fault(`differs from ${key}, which replaces it`, "key");
    return isGiven(value[key]) ? value[key] : value[alias];
  }

  return {
    read(value, at) {
      if (!isRecord(value)) return at.fault(`must be a map, got ${typeName(value)}`);
      // Fields with faults are keys without a value, so that rules can distinguish them from missing ones.
      const draft: Record<string, unknown> = {};
      for (const key of checkKeys(value, at)) draft[key] = undefined;
      for (const [key, field] of Object.entries(schemas)) {
        const entry = given(value, key, at);
        if ("required" in field) {
          if (isGiven(entry) || (entry === "" && field.mayBeEmpty)) draft[key] = field.required.read(entry, at.at(key));
          else at.at(key).fault(`is required${field.remedy === undefined ? "" : `; ${field.remedy}`}`);
        } else if (isGiven(entry)) {
          draft[key] = field.read(entry, at.at(key));
        }
      }
      for (const rule of rules) rule(draft as Draft<T>, at);
      return draft as Draft<T>;
    },
    fields(path) {
      const rows = (entries: Readonly<Record<string, string>>, status: FieldRow["status"]): FieldRow[] =>
        Object.entries(entries).map(([key, reason]) => ({ path: `${path}.${key}`, status, reason }));
      return [
        ...Object.entries(schemas).flatMap(([key, field]): FieldRow[] => {
          const schema = "required" in field ? field.required : field;
          return [{ path: `${path}.${key}`, status: "accepted" }, ...schema.fields(`${path}.${key}`)];
        }),
        ...Object.keys(aliases).map(
          (key): FieldRow => ({
            path: `${path}.${key}`,
            status: "accepted",
            reason: `the old name of ${aliases[key]}`,
          }),
        ),
        ...rows(ignored, "ignored"),
        ...rows(refused, "refused"),
      ];
    },
  };
}

/** Checks that exactly one of the fields is set. */
export function exactlyOne<T extends object>(...keys: readonly (keyof T & string)[]): ObjectRule<T> {
  return (value, at) => {
    const set = keys.filter((key) => Object.hasOwn(value, key));
    // A field with a fault may be the one that is missing here.
    const hasFaults = Object.values(value).includes(undefined);
    if (set.length === 0 && !hasFaults) at.fault(`must have one of ${keys.join(", ")}`);
    else if (set.length > 1) at.fault(`must have only one of ${set.join(", ")}`);
  };
}

/** Clients write empty lists and maps for fields that nobody set. */
function isEmpty(value: unknown): boolean {
  if (!isGiven(value)) return true;
  return typeof value === "object" && !(value instanceof Date) && Object.keys(value as object).length === 0;
}
