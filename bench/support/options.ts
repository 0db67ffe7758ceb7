import { parseArgs } from "node:util";

type Options = Record<string, number | string | boolean>;

/**
 * Parses the options of a benchmark. The defaults name them and give their types: a number is a whole number from 1, a boolean is a
 * flag without a value.
 */
export function parseOptions<Defaults extends Options>(args: string[], defaults: Defaults): Widened<Defaults> {
  const options = Object.entries(defaults).map(([name, value]) =>
    typeof value === "boolean"
      ? ([name, { type: "boolean", default: value }] as const)
      : ([name, { type: "string", default: String(value) }] as const),
  );
  const values: Record<string, unknown> = parseArgs({ args, options: Object.fromEntries(options) }).values;
  const parsed = Object.entries(defaults).map(([name, value]) => [
    name,
    typeof value === "number" ? wholeNumber(name, values[name] as string) : values[name],
  ]);
  return Object.fromEntries(parsed);
}

type Widened<Defaults extends Options> = {
  [Name in keyof Defaults]: Defaults[Name] extends number ? number : Defaults[Name] extends string ? string : boolean;
};

/** Converts the value of `--minutes`, which may be a fraction. */
export function millisecondsOf(minutes: string): number {
  const number = Number(minutes);
  if (!(number > 0)) throw new Error(`--minutes must be a number above 0, got "${minutes}".`);
  return number * 60_000;
}

function wholeNumber(name: string, value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1)
    throw new Error(`--${name} must be a whole number from 1, got "${value}".`);
  return number;
}
