import { devNull } from "node:os";
import { win32 } from "node:path";
import type { LineCounter, Scalar } from "yaml";
import { type DocumentFault, InvalidDocumentError, InvalidInputError } from "../errors.js";
import { checkOptions, type FieldsOf } from "../input/call-options.js";
import { closest } from "../internal/closest.js";
import { LocalFileError } from "../internal/files/local-file-error.js";
import { readRegular } from "../internal/files/open-regular.js";

/** The largest file to read, in bytes. A file with all of crictl's keys has a few hundred. */
const maxConfigBytes = 64 * 1024;

/** crictl's configuration. Keys that the file omits or leaves empty are undefined. */
export interface CrictlConfig {
  /** The path of the file. */
  path: string;
  /** `runtime-endpoint` */
  runtimeEndpoint?: string | undefined;
  /** `image-endpoint` */
  imageEndpoint?: string | undefined;
  /** `timeout`, in seconds; crictl uses its default of two seconds for 0 and negative numbers. */
  timeoutSeconds?: number | undefined;
  /** `debug` */
  debug?: boolean | undefined;
  /** `pull-image-on-create` */
  pullImageOnCreate?: boolean | undefined;
  /** `disable-pull-on-run` */
  disablePullOnRun?: boolean | undefined;
  /** `max-retries`: how often crictl repeats an attempt to connect; 0 means never, a negative number without a limit. */
  maxRetries?: number | undefined;
}

/** What {@link loadCrictlConfig} does with unknown keys. */
export interface CrictlConfigLeniency {
  /** Refuses unknown keys, as crictl does. @defaultValue false: a newer crictl may have more keys */
  strict?: boolean | undefined;
  /** Called for each unknown key, unless `strict` is set. */
  onIgnored?: ((ignored: DocumentFault) => void) | undefined;
}

const leniencyFields: FieldsOf<CrictlConfigLeniency> = { strict: true, onIgnored: true };

/** The path of a configuration file. */
export interface CrictlConfigLocation {
  path: string;
  /** Whether an option or a variable names the path. False for crictl's default path. */
  explicit: boolean;
}

/**
 * Reads the configuration file of crictl, so that a node set up for crictl needs no second setup.
 *
 * Reads `path` if given, otherwise the file that `CRI_CONFIG_FILE` names, otherwise crictl's default: `/etc/crictl.yaml`,
 * `/usr/local/etc/crictl.yaml` on FreeBSD, `%USERPROFILE%\.crictl\crictl.yaml` on Windows. The file must be a regular file of
 * at most 64 KiB, or a link to one; `/dev/null` means an empty file. Unlike crictl, this function ignores unknown keys unless
 * `strict` is set.
 *
 * @returns `undefined` if the default file does not exist
 * @throws {@link InvalidInputError} if a named file does not exist, or if the file cannot be read
 * @throws {@link InvalidDocumentError} with all faults of the file
 */
export async function loadCrictlConfig(
  path?: string | undefined,
  env: NodeJS.ProcessEnv = process.env,
  options: CrictlConfigLeniency = {},
): Promise<CrictlConfig | undefined> {
  checkOptions(options, leniencyFields);
  return readCrictlConfig(locateCrictlConfig({ path, env }), options);
}

/** Determines the path of the file. This is the first step of {@link loadCrictlConfig}. */
export function locateCrictlConfig(from: {
  path?: string | undefined;
  env: NodeJS.ProcessEnv;
  platform?: NodeJS.Platform | undefined;
}): CrictlConfigLocation {
  const explicit = from.path || from.env.CRI_CONFIG_FILE;
  if (explicit) return { path: explicit, explicit: true };
  return { path: defaultPath(from.platform ?? process.platform, from.env), explicit: false };
}

/** Reads the file. This is the second step of {@link loadCrictlConfig}. */
export async function readCrictlConfig(
  location: CrictlConfigLocation,
  leniency: CrictlConfigLeniency = {},
): Promise<CrictlConfig | undefined> {
  const text = await readText(location);
  if (text === undefined) return undefined;
  // Loaded on demand: most programs never read this file, and the parser is the largest dependency.
  return new ConfigFile(await import("yaml"), location.path, text, leniency).parse();
}

function defaultPath(platform: NodeJS.Platform, env: NodeJS.ProcessEnv): string {
  if (platform === "win32") return win32.join(env.USERPROFILE ?? "C:\\", ".crictl", "crictl.yaml");
  return platform === "freebsd" ? "/usr/local/etc/crictl.yaml" : "/etc/crictl.yaml";
}

async function readText({ path, explicit }: CrictlConfigLocation): Promise<string | undefined> {
  // /dev/null means an empty configuration.
  if (path === devNull) return "";
  try {
    return (await readRegular(path, maxConfigBytes)).toString("utf8");
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (!explicit && (code === "ENOENT" || code === "ENOTDIR")) return undefined;
    const message = `${path} ${unreadable(code, cause)}`;
    throw new InvalidInputError({ field: "crictl configuration", message, cause });
  }
}

function unreadable(code: string | undefined, cause: unknown): string {
  if (code === "ENOENT") return "does not exist";
  if (cause instanceof LocalFileError) return cause.reason;
  if (code !== "EACCES") return `cannot be read: ${code ?? String(cause)}`;
  return "cannot be read: no permission (crictl makes it readable only for its owner). Make it readable, or set CONTAINER_RUNTIME_ENDPOINT";
}

const knownKeys: ReadonlySet<string> = new Set([
  "runtime-endpoint",
  "image-endpoint",
  "timeout",
  "debug",
  "pull-image-on-create",
  "disable-pull-on-run",
  "max-retries",
]);

// The values that Go's strconv.ParseBool accepts, which crictl uses.
const booleans: ReadonlyMap<string, boolean> = new Map([
  ...["1", "t", "T", "true", "True", "TRUE"].map((text) => [text, true] as const),
  ...["0", "f", "F", "false", "False", "FALSE"].map((text) => [text, false] as const),
]);

class ConfigFile {
  readonly #yaml: Yaml;
  readonly #path: string;
  readonly #text: string;
  readonly #lines: LineCounter;
  readonly #leniency: CrictlConfigLeniency;
  readonly #faults: DocumentFault[] = [];

  constructor(yaml: Yaml, path: string, text: string, leniency: CrictlConfigLeniency) {
    this.#leniency = leniency;
    this.#yaml = yaml;
    this.#path = path;
    this.#text = text;
    this.#lines = new yaml.LineCounter();
  }

  parse(): CrictlConfig {
    const values = this.#values();
    const config = {
      path: this.#path,
      runtimeEndpoint: values.get("runtime-endpoint")?.text,
      imageEndpoint: values.get("image-endpoint")?.text,
      timeoutSeconds: this.#integer(values.get("timeout")),
      debug: this.#boolean(values.get("debug")),
      pullImageOnCreate: this.#boolean(values.get("pull-image-on-create")),
      disablePullOnRun: this.#boolean(values.get("disable-pull-on-run")),
      maxRetries: this.#integer(values.get("max-retries")),
    };
    this.#finish();
    return config;
  }

  #finish(): void {
    if (this.#faults.length > 0)
      throw new InvalidDocumentError("crictl configuration", this.#faults, { file: this.#path });
  }

  /**
   * Returns the values that are not empty, as strings, because crictl also accepts quoted numbers and booleans: `timeout: "10"`,
   * `debug: "true"`.
   */
  #values(): Map<string, Value> {
    const { isMap, isScalar, parseDocument } = this.#yaml;
    const document = parseDocument(this.#text, {
      lineCounter: this.#lines,
      prettyErrors: false,
      // The parser would compare every two keys, which takes five seconds for 64 KiB of keys.
      uniqueKeys: false,
    });
    const [error] = document.errors;
    const root = document.contents;
    const values = new Map<string, Value>();
    if (error !== undefined) this.#refuse(error.pos[0], "", `is not valid YAML: ${error.message}`);
    if (error !== undefined || root === null || (isScalar(root) && root.value === null)) return values;
    if (!isMap(root)) {
      this.#refuse(root.range[0], "", "must consist of lines such as `timeout: 10`");
      return values;
    }
    const seen = new Set<string>();
    for (const { key, value } of root.items) {
      const name = isScalar(key) ? String(key.value) : "";
      const keyOffset = (key as Scalar).range?.[0] ?? 0;
      if (!knownKeys.has(name)) {
        this.#ignore(keyOffset, name);
        continue;
      }
      if (seen.has(name)) this.#refuse(keyOffset, name, "is set twice");
      seen.add(name);
      if (value === null) continue;
      const offset = value.range?.[0] ?? 0;
      if (!isScalar(value)) {
        this.#refuse(offset, name, "must be one value");
        continue;
      }
      const text = typeof value.value === "string" ? value.value : (value.source ?? "");
      if (value.value !== null && text !== "") values.set(name, { name, text, offset });
    }
    return values;
  }

  #integer(value: Value | undefined): number | undefined {
    if (value === undefined) return undefined;
    const number = Number(value.text);
    if (!/^[+-]?\d+$/.test(value.text) || !Number.isSafeInteger(number)) {
      this.#refuse(value.offset, value.name, `must be a whole number, got ${JSON.stringify(value.text)}`);
      return undefined;
    }
    return number;
  }

  #boolean(value: Value | undefined): boolean | undefined {
    if (value === undefined) return undefined;
    const result = booleans.get(value.text);
    if (result === undefined) {
      this.#refuse(value.offset, value.name, `must be true or false, got ${JSON.stringify(value.text)}`);
    }
    return result;
  }

  #ignore(offset: number, key: string): void {
    const { strict = false, onIgnored } = this.#leniency;
    if (!strict && onIgnored === undefined) return;
    const meant = closest(key, [...knownKeys]);
    const message = `unknown key; ${meant === undefined ? `known are ${[...knownKeys].join(", ")}` : `did you mean ${meant}?`}`;
    if (strict) this.#refuse(offset, key, message);
    else onIgnored?.(this.#faultAt(offset, key, message));
  }

  #refuse(offset: number, path: string, message: string): void {
    this.#faults.push(this.#faultAt(offset, path, message));
  }

  #faultAt(offset: number, path: string, message: string): DocumentFault {
    const { line, col } = this.#lines.linePos(offset);
    return { path, line, column: col, message };
  }
}

type Yaml = typeof import("yaml");

interface Value {
  name: string;
  text: string;
  /** The position in the file. */
  offset: number;
}
