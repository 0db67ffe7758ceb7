import { fieldPath } from "../../../internal/field-names.js";
import { typeName } from "../../../internal/type-name.js";

/** A path in a document: keys and indexes. */
export type Path = readonly (string | number)[];

/** What a position of a fault refers to: the key of a field that should not be there, or its value. */
export type Part = "key" | "value";

/** Receives what the reading of an object finds. */
export interface Findings {
  fault(path: Path, message: string, part: Part): void;
  ignored(path: Path, reason: string): void;
}

/** A place in a document, for faults. */
export class Place {
  readonly path: Path;
  readonly #findings: Findings;

  constructor(findings: Findings, path: Path = []) {
    this.#findings = findings;
    this.path = path;
  }

  at(...keys: Path): Place {
    return new Place(this.#findings, [...this.path, ...keys]);
  }

  /** Reports a fault. Returns undefined, so that a reader can return it. */
  fault(message: string, part: Part = "value"): undefined {
    this.#findings.fault(this.path, message, part);
  }

  /** Reports the fault of a value that is not secret, and shows it. */
  refuse(message: string, value: unknown): undefined {
    this.fault(`${message}, got ${shown(value)}`);
  }

  ignored(reason: string): void {
    this.#findings.ignored(this.path, reason);
  }
}

/** Formats a path as JavaScript spells it: `spec.containers[0].image`. */
export function pathText(path: Path): string {
  return path.reduce<string>((text, key) => fieldPath(text, key), "");
}

/** Shows a value that is not secret, in at most 60 characters. */
export function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 60 ? `${value.slice(0, 59)}…` : value);
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint")
    return String(value).slice(0, 60);
  return typeName(value);
}
