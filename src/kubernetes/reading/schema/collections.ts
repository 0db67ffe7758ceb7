import { isRecord } from "../../../internal/record.js";
import { typeName } from "../../../internal/type-name.js";
import { shown } from "./place.js";
import type { Check } from "./scalars.js";
import type { Draft, Schema } from "./schema.js";
import { noFields } from "./schema.js";

/** Bounds and uniqueness of a list. */
export interface ListRules {
  min?: number | undefined;
  max?: number | undefined;
  /** The field that must be unique in the list. */
  uniqueBy?: string | undefined;
}

/** A list. */
export function list<T>(
  item: Schema<T>,
  { min = 0, max = Number.POSITIVE_INFINITY, uniqueBy }: ListRules = {},
): Schema<readonly T[]> {
  return {
    read(value, at) {
      // A string may be a command line with a password.
      if (!Array.isArray(value)) return at.fault(`must be a list, got ${typeName(value)}`);
      if (value.length < min) at.fault(`must have ${min} ${min === 1 ? "entry" : "entries"} or more`);
      if (value.length > max) at.fault(`must have at most ${max} entries, got ${value.length}`);
      const items = Array.from(value as unknown[], (entry, index) => {
        if (entry === undefined || entry === null) return at.at(index).refuse("must be set", entry);
        return item.read(entry, at.at(index));
      });
      const seen = new Map<unknown, number>();
      for (const [index, entry] of items.entries()) {
        const key = uniqueBy === undefined || !isRecord(entry) ? undefined : entry[uniqueBy];
        const first = key === undefined ? undefined : seen.get(key);
        if (first !== undefined) at.at(index, uniqueBy!).refuse(`must be unique; entry ${first} has the same`, key);
        else if (key !== undefined) seen.set(key, index);
      }
      return items as unknown as Draft<readonly T[]>;
    },
    fields: (path) => item.fields(`${path}[]`),
  };
}

/** A map from strings to values of one type. Faults of keys show the key. */
export function map<T>(item: Schema<T>, checkKey?: Check): Schema<Readonly<Record<string, T>>> {
  return mapWithNull(item, checkKey, undefined);
}

/** A map from strings to strings. As in the Kubernetes API, null is an empty string. */
export function stringMap(item: Schema<string>, checkKey?: Check): Schema<Readonly<Record<string, string>>> {
  return mapWithNull(item, checkKey, "");
}

function mapWithNull<T>(
  item: Schema<T>,
  checkKey: Check | undefined,
  ofNull: "" | undefined,
): Schema<Readonly<Record<string, T>>> {
  return {
    read(value, at) {
      if (!isRecord(value)) return at.fault(`must be a map, got ${typeName(value)}`);
      const copy: Record<string, unknown> = {};
      for (const [key, given] of Object.entries(value)) {
        const entry = given === null ? ofNull : given;
        const wrong = key === "__proto__" ? "is not supported" : checkKey?.(key);
        if (wrong !== undefined) at.at(key).fault(`the key ${wrong}, got ${shown(key)}`, "key");
        if (entry === undefined) at.at(key).refuse("must be set", given);
        else if (key !== "__proto__") copy[key] = item.read(entry, at.at(key));
      }
      return copy as Draft<Readonly<Record<string, T>>>;
    },
    fields: noFields,
  };
}
