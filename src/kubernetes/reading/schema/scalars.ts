import { InvalidInputError } from "../../../errors.js";
import { closest } from "../../../internal/closest.js";
import { typeName } from "../../../internal/type-name.js";
import { parseQuantity } from "../../../specs/quantity.js";
import type { QuantityManifest } from "../../manifest/container.js";
import { type Place, shown } from "./place.js";
import { noFields, type Schema } from "./schema.js";

/** Checks the form of a string. Returns what it must be, or undefined if it is valid. */
export type Check = (value: string) => string | undefined;

/** A string. Other scalars are refused, as Kubernetes does, because YAML may have changed them: `0123`, `yes`, `1e3`. */
export function string(check?: Check): Schema<string> {
  return { read: (value, at) => readString(value, at, check, shown), fields: noFields };
}

/** A string that no error may show, such as the value of an environment variable. */
export function secretString(check?: Check): Schema<string> {
  return { read: (value, at) => readString(value, at, check, undefined), fields: noFields };
}

function readString(
  value: unknown,
  at: Place,
  check: Check | undefined,
  show: ((value: unknown) => string) | undefined,
): string | undefined {
  const got = show ? `, got ${show(value)}` : `, got ${typeName(value)}`;
  if (typeof value !== "string") {
    const scalar = typeof value === "number" || typeof value === "boolean" || typeof value === "bigint";
    return at.fault(`must be a string${got}${scalar ? "; put it in quotes" : ""}`);
  }
  if (value.includes("\0")) return at.fault("must not contain a NUL character");
  const wrong = check?.(value);
  return wrong === undefined ? value : at.fault(show ? `${wrong}${got}` : wrong);
}

/** One of several strings. */
export function oneOf<T extends string>(values: Readonly<Record<T, true>>): Schema<T> {
  const names = Object.keys(values) as T[];
  const known = `must be ${names.map((name) => JSON.stringify(name)).join(" or ")}`;
  const list = names.length <= 2 ? known : `must be one of ${names.map((name) => JSON.stringify(name)).join(", ")}`;
  return {
    read(value, at) {
      if (typeof value === "string" && Object.hasOwn(values, value)) return value as never;
      const meant = typeof value === "string" ? closest(value, names) : undefined;
      return at.fault(`${list}, got ${shown(value)}${meant ? `; did you mean ${JSON.stringify(meant)}?` : ""}`);
    },
    fields: noFields,
  };
}

export const boolean: Schema<boolean> = {
  read: (value, at) => (typeof value === "boolean" ? value : at.refuse("must be true or false", value)),
  fields: noFields,
};

export const maxInt32 = 2 ** 31 - 1;

/** A whole number. */
export function integer(min: number, max: number): Schema<number> {
  return {
    read(value, at) {
      if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
      const hint = typeof value === "string" && /^\d+$/.test(value) ? " (without quotes)" : "";
      return at.refuse(`must be a whole number from ${min} to ${max}${hint}`, value);
    },
    fields: noFields,
  };
}

/** The permissions of a file. JSON has no octal numbers, so 0644 is 420 there. */
export const fileMode: Schema<number> = {
  read(value, at) {
    if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 0o777) return value;
    return at.refuse(`must be the permissions of a file, from 0 to 0777${modeRemedy(value)}`, value);
  },
  fields: noFields,
};

function modeRemedy(value: unknown): string {
  if (typeof value === "number") return /^[0-7]{3}$/.test(String(value)) ? `; write 0${value} for octal` : "";
  return typeof value === "string" && /^[0-7]+$/.test(value) ? " (without quotes)" : "";
}

/** An amount of a resource. Not negative. */
export const quantity: Schema<QuantityManifest> = {
  read(value, at) {
    if (typeof value !== "string" && typeof value !== "number" && typeof value !== "bigint") {
      return at.refuse('must be a quantity such as 2, "500m" or "128Mi"', value);
    }
    try {
      parseQuantity(value, "");
      return typeof value === "bigint" ? String(value) : value;
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error;
      return at.fault(error.details.replace(/^: /, ""));
    }
  },
  fields: noFields,
};

/** The number of a port, or the name of one of the container's ports. */
export function portOrName(checkName: Check): Schema<number | string> {
  const number = integer(1, 65_535);
  return {
    read(value, at) {
      if (typeof value !== "string") return number.read(value, at);
      if (/^\d+$/.test(value)) return at.refuse("must be a number without quotes, or the name of a port", value);
      const wrong = checkName(value);
      return wrong === undefined ? value : at.refuse(`${wrong} as the name of a port`, value);
    },
    fields: noFields,
  };
}
