import { styleText } from "node:util";
import type { Output, Terminal } from "../terminal.js";

type Format = Parameters<typeof styleText>[0];

/** Adds colours to text. */
export type Styles = (format: Format, text: string) => string;

/** Whether to print colours: `NO_COLOR` and `FORCE_COLOR` decide, otherwise whether the output is a terminal that has colours. */
export function colorOf(output: Output, env: Terminal["env"]): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== "0";
  return Boolean(output.isTTY) && env.TERM !== "dumb";
}

/** Returns a function that adds colours, or changes nothing if the output must have none. */
export function stylesOf(output: Output, env: Terminal["env"]): Styles {
  return colorOf(output, env) ? (format, text) => styleText(format, text) : (_, text) => text;
}
