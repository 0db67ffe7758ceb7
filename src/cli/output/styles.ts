import { inspect, type styleText } from "node:util";
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
  return colorOf(output, env) ? style : (_, text) => text;
}

/** Does what `util.styleText` does, which Node.js 20.9 does not have, and which decides by itself whether to print colours. */
function style(format: Format, text: string): string {
  return [format].flat().reduce((styled, name) => {
    const [start, end] = inspect.colors[name] ?? [];
    return start === undefined ? styled : `\x1b[${start}m${styled}\x1b[${end}m`;
  }, text);
}
