import { type DocumentFault, InvalidDocumentError } from "../errors.js";
import { typeName } from "../input/check.js";
import { type MessageType, shapeOf } from "../internal/message-shape.js";
import { isRecord } from "../internal/record.js";
import { type Dialect, type OnFault, readWithFaults } from "../json/read-message.js";
import { YamlDocument } from "../json/yaml/yaml-document.js";
import { maxTextBytes } from "../json/yaml/yaml-text.js";

/** Larger strings are refused. The output of crictl for a node with many pods has a few megabytes. */
const maxBytes = { yaml: maxTextBytes, json: 64 * 2 ** 20 };

/** The number of faults after which reading ends. */
const maxFaults = 1_000;

/** What to do with unknown fields and the like. A function is called for each. */
export type Leniency = ((ignored: DocumentFault) => void) | "ignore" | "refuse";

/** A document, and the faults that are found in it. {@link finish} throws if there are any. */
export class CrictlDocument {
  readonly data: unknown;
  readonly #name: string;
  readonly #leniency: Leniency;
  readonly #faults: DocumentFault[] = [];
  /** The number of faults that crictl would ignore. */
  #ignorable = 0;
  readonly #text: string | undefined;
  #yaml: YamlDocument | undefined;

  /**
   * @param name what the document is, for errors
   * @param parseJson parses JSON without the slower parser for YAML
   * @throws InvalidDocumentError if the text is malformed
   */
  constructor(name: string, source: unknown, leniency: Leniency, parseJson?: (text: string) => unknown) {
    this.#name = name;
    this.#leniency = leniency;
    if (typeof source !== "string") {
      this.data = isRecord(source) || Array.isArray(source) ? source : this.fail(describeSource(source));
      return;
    }
    this.#text = source;
    const json = parseJson && this.#parseJson(source, parseJson);
    this.data = json?.result ?? this.#readYaml(source);
  }

  /** Reads a message. Reports its faults to this document. */
  message<T>(type: MessageType<T>, data: unknown, dialect: Dialect, path = ""): T {
    const given = data === undefined && path === "" ? "is empty" : `must be an object, got ${typeName(data)}`;
    const object = isRecord(data) ? data : this.fail(given, path);
    const onFault: OnFault = (error, isIgnorable) => {
      if (error instanceof InvalidDocumentError) throw error;
      const field = joinPath(path, error.field === "json" ? "" : error.field);
      const prefix = `${error.field}: `;
      const message = error.details.startsWith(prefix) ? error.details.slice(prefix.length) : error.details;
      this.report(field, message, isIgnorable);
    };
    return readWithFaults(shapeOf(type), object, dialect, onFault) as T;
  }

  /** Reports a fault. If crictl ignores or converts the field, the leniency decides whether it is one. */
  report(path: string, message: string, isIgnorable = false): void {
    // Finding the position takes much longer than the rest.
    if (isIgnorable && this.#leniency === "ignore") return;
    this.#report({ path, ...this.#positionOf(path), message }, isIgnorable);
  }

  /** Throws an error with all faults, if there are any. */
  finish(): void {
    if (this.#faults.length > 0) throw this.#error();
  }

  #error(): InvalidDocumentError {
    const all = this.#faults.length;
    const which = all === 1 ? "this" : `${this.#ignorable === all ? "all" : this.#ignorable} of these faults`;
    const remedy = `crictl would ignore ${which}; set the option onIgnored to read the file like crictl`;
    return new InvalidDocumentError(this.#name, this.#faults, this.#ignorable > 0 ? { remedy } : {});
  }

  #report(fault: DocumentFault, isIgnorable: boolean): void {
    if (isIgnorable && this.#leniency !== "refuse") {
      if (this.#leniency !== "ignore") this.#leniency(fault);
      return;
    }
    this.#faults.push(fault);
    if (isIgnorable) this.#ignorable++;
    if (this.#faults.length === maxFaults) this.finish();
  }

  /** Reports a fault after which nothing can be read, and throws. */
  fail(message: string, path = ""): never {
    this.report(path, message);
    throw this.#error();
  }

  #checkSize(text: string, format: keyof typeof maxBytes): void {
    const bytes = Buffer.byteLength(text);
    if (bytes <= maxBytes[format]) return;
    const message = `has ${bytes} bytes, at most ${maxBytes[format]} as ${format.toUpperCase()}`;
    throw new InvalidDocumentError(this.#name, [{ path: "", message }]);
  }

  #parseJson(text: string, parse: (text: string) => unknown): { result: unknown } | undefined {
    this.#checkSize(text, "json");
    try {
      return { result: parse(text) };
    } catch {
      return undefined; // YAML, or malformed
    }
  }

  #readYaml(text: string): unknown {
    this.#checkSize(text, "yaml");
    this.#yaml = new YamlDocument(text);
    const { faults, data, second } = this.#yaml;
    for (const { message, position, isRepeatedKey = false } of faults) {
      this.#report({ path: "", ...position, message }, isRepeatedKey);
    }
    // Of a malformed text, every field would be missing.
    if (data === undefined) this.finish();
    const furtherDocument = "has a second document, which crictl does not read";
    if (second) this.#report({ path: "", ...second, message: furtherDocument }, true);
    return data;
  }

  #positionOf(path: string): { line: number; column: number } | undefined {
    if (this.#text === undefined || this.#text.length > maxBytes.yaml) return undefined;
    this.#yaml ??= new YamlDocument(this.#text);
    return this.#yaml.positionOf(path);
  }
}

function describeSource(source: unknown): string {
  const remedy = source instanceof Uint8Array ? '; decode it, as readFile(path, "utf8") does' : "";
  return `must be text or an object, got ${typeName(source)}${remedy}`;
}

function joinPath(parent: string, path: string): string {
  if (parent === "" || path === "") return parent + path;
  return path.startsWith("[") ? parent + path : `${parent}.${path}`;
}
