import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import type { LogEntry } from "../../../src/logs/entry.js";
import { readLogFile } from "../../../src/logs/read-log-file.js";
import type { ReadLogOptions } from "../../../src/logs/read-options.js";

export { openBelow } from "../../support/open-files.js";

/** Creates a temporary folder for each test of a file. Call it at the top of the file. */
export function temporaryFolder(): { readonly path: string; file(name: string, content?: string | Buffer): string } {
  let path = "";
  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), "logs-"));
  });
  afterEach(() => rmSync(path, { recursive: true, force: true }));
  return {
    get path() {
      return path;
    },
    file(name, content) {
      if (content !== undefined) writeFileSync(join(path, name), content);
      return join(path, name);
    },
  };
}

/** A line in CRI's format. The number is its time and its default content. */
export function criLine(number: number, text = `line ${number}`, stream = "stdout", tag = "F"): string {
  return `${timeOf(number)} ${stream} ${tag} ${text}\n`;
}

/** The timestamp of {@link criLine}. */
export function timeOf(number: number): string {
  return `2026-11-23T05:55:00.${String(number).padStart(9, "0")}Z`;
}

/** Lines from one number to another, which is excluded. */
export function criLines(from: number, to: number): string {
  return Array.from({ length: to - from }, (_, index) => criLine(from + index)).join("");
}

/** Reads all entries of a log, without their positions. */
export async function read(path: string, options: ReadLogOptions = {}): Promise<Omit<LogEntry, "position">[]> {
  const entries: Omit<LogEntry, "position">[] = [];
  const stream = readLogFile(path, { ...options, encoding: "utf8" });
  for await (const { position: _, ...entry } of stream) entries.push(entry);
  return entries;
}

/** Reads the `text` of all entries. */
export async function texts(path: string, options: ReadLogOptions = {}): Promise<string[]> {
  return (await read(path, options)).map(({ text }) => text);
}
