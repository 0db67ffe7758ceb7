import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  realpathSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname, isAbsolute, join, relative, sep } from "node:path";
import { toRfc3339Nano } from "../../internal/time.js";
import { type Clock, toLong } from "../state/clock.js";

/** Limit on a line; longer ones are written in parts. This is containerd's default. */
const maxLineBytes = 16 * 1024;

const newline = 0x0a;

/** An output of a container. */
export type OutputName = "stdout" | "stderr";

/** The formats of log files: CRI's, or Docker's JSON. */
export type LogFormat = "cri" | "docker";

/**
 * Writes the log of a container. In CRI's format a line has time, stream, `F` (full line) or `P` (part of a line), and the
 * output. In Docker's format it is a JSON object.
 */
export class LogFile {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #format: LogFormat;
  readonly #unfinished = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
  #file: number | undefined;

  private constructor(path: string, file: number, clock: Clock, format: LogFormat) {
    this.#path = path;
    this.#format = format;
    this.#clock = clock;
    this.#file = file;
  }

  /**
   * Creates a log, or continues an existing one. Returns undefined if the log directory does not exist or is not writable,
   * because many tests name log directories that should not be created. Also returns undefined if the path leads out of the
   * directory.
   */
  static open(directory: string, path: string, clock: Clock, format: LogFormat): LogFile | undefined {
    if (path === "" || !isAbsolute(directory) || isOutside(directory, path)) return undefined;
    try {
      const folder = dirname(path);
      if (isOutside(realpathSync(directory), join(realAncestor(folder), "log"))) return undefined;
      mkdirSync(folder, { recursive: true });
      return new LogFile(path, openToAppend(path), clock, format);
    } catch {
      return undefined;
    }
  }

  /** Writes output. Keeps an incomplete line until its rest arrives, up to a limit. */
  write(name: OutputName, chunk: Uint8Array): void {
    let rest = Buffer.concat([this.#unfinished[name], chunk]);
    for (let end = rest.indexOf(newline); end >= 0; end = rest.indexOf(newline)) {
      this.#writeLine(name, "F", this.#writeParts(name, rest.subarray(0, end)));
      rest = rest.subarray(end + 1);
    }
    this.#unfinished[name] = Buffer.from(this.#writeParts(name, rest));
  }

  /** Ends one of the outputs, and writes its incomplete line if there is one. */
  end(name: OutputName): void {
    const rest = this.#unfinished[name];
    this.#unfinished[name] = Buffer.alloc(0);
    if (rest.length > 0) this.#writeLine(name, "P", rest);
  }

  /** Continues in a new file if the old one was moved. */
  reopen(): void {
    if (this.#file === undefined) return;
    const file = openToAppend(this.#path);
    closeSync(this.#file);
    this.#file = file;
  }

  /** Removes the file. Rotated files stay. */
  remove(): void {
    this.close();
    rmSync(this.#path, { force: true });
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  /** Writes the parts of a long line, and returns the last one. */
  #writeParts(name: OutputName, bytes: Buffer): Buffer {
    let rest = bytes;
    for (; rest.length > maxLineBytes; rest = rest.subarray(maxLineBytes)) {
      this.#writeLine(name, "P", rest.subarray(0, maxLineBytes));
    }
    return rest;
  }

  #writeLine(name: OutputName, tag: "F" | "P", bytes: Buffer): void {
    if (this.#file === undefined) return;
    const time = toRfc3339Nano(toLong(this.#clock.now())) ?? "";
    try {
      // Writes the whole line at once, because a client may follow the file.
      writeSync(
        this.#file,
        this.#format === "cri" ? criLine(time, name, tag, bytes) : dockerLine(time, name, tag, bytes),
      );
    } catch {
      // As on real runtimes, a container continues if its log cannot be written.
    }
  }
}

function criLine(time: string, name: OutputName, tag: "F" | "P", bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${time} ${name} ${tag} `), bytes, Buffer.of(newline)]);
}

function dockerLine(time: string, stream: OutputName, tag: "F" | "P", bytes: Buffer): Buffer {
  const log = tag === "F" ? `${bytes}\n` : bytes.toString();
  return Buffer.from(`${JSON.stringify({ log, stream, time })}\n`);
}

/**
 * Opens or creates a regular file. Uses `O_NONBLOCK`, because opening a named pipe without a reader would otherwise block the
 * process.
 */
function openToAppend(path: string): number {
  const { O_WRONLY, O_CREAT, O_APPEND, O_NOFOLLOW = 0, O_NONBLOCK = 0, O_NOCTTY = 0 } = constants;
  const file = openSync(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0o640);
  if (fstatSync(file).isFile()) return file;
  closeSync(file);
  throw new Error(`${path} is not a regular file`);
}

/** Returns the real path of the deepest existing folder of a path. */
function realAncestor(path: string): string {
  return lstatSync(path, { throwIfNoEntry: false }) ? realpathSync(path) : realAncestor(dirname(path));
}

function isOutside(directory: string, path: string): boolean {
  const relativePath = relative(directory, path);
  const isParent = relativePath === ".." || relativePath.startsWith(`..${sep}`);
  return relativePath === "" || isParent || isAbsolute(relativePath);
}
