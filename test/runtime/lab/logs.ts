/** @module */
import { readFile } from "node:fs/promises";

/** Returns the last lines of a log file, for error messages. */
export async function tailOf(file: string, lines = 15): Promise<string> {
  const content = await readFile(file, "utf8").catch(() => "");
  return content.trimEnd().split("\n").slice(-lines).join("\n") || "(the log is empty)";
}
