import { InvalidInputError, nameClass } from "../../errors.js";

/** Where something is in manifests. Fields are absent for objects that were not read from text or from a file. */
export interface ManifestLocation {
  /** Kind and name of the object, such as `Pod web`. */
  object?: string | undefined;
  /** The path of the file. */
  file?: string | undefined;
  /** The number of the document in its text, from 1. */
  document?: number | undefined;
  /** The line in the text, from 1. */
  line?: number | undefined;
  /** The column in the line, from 1. */
  column?: number | undefined;
}

/** One fault of a manifest. */
export interface ManifestFault extends ManifestLocation {
  /** The path of the field in the document, such as `spec.containers[0].image`. Empty: the whole document. */
  path: string;
  /** What is wrong and what to do. Never contains values of environment variables, ConfigMaps or Secrets. */
  message: string;
  /** The object that the field refers to and that is missing, or that lacks the key. */
  missing?: MissingObject | undefined;
}

/** An object, or a key of it, that a pod refers to and that was not given. */
export interface MissingObject {
  kind: "ConfigMap" | "Secret" | "ServiceAccount" | "RuntimeClass";
  /** Absent for a RuntimeClass, which has no namespace. */
  namespace?: string | undefined;
  name: string;
  /** The missing key of an object that was given. */
  key?: string | undefined;
}

/** Faults in the error's message. */
const maxShown = 20;

/**
 * A manifest has faults, or objects that it refers to are missing; code `INVALID_INPUT`. Contains all faults, not only the first,
 * and names them in its message, one a line.
 */
export class InvalidManifestError extends InvalidInputError {
  static {
    nameClass(InvalidManifestError, "InvalidManifestError");
  }
  readonly faults: readonly ManifestFault[];

  constructor(faults: readonly [ManifestFault, ...ManifestFault[]]) {
    super({ field: nameOf(faults[0]), message: lines(faults) });
    this.faults = faults;
  }
}

function lines([first, ...rest]: readonly [ManifestFault, ...ManifestFault[]]): string[] {
  const others = rest.slice(0, maxShown - 1).map((fault) => `${nameOf(fault)}: ${fault.message}${placeOf(fault)}`);
  const omitted = rest.length - others.length;
  return [
    first.message + placeOf(first),
    ...others,
    ...(omitted > 0 ? [`${omitted} more faults are in the field "faults"`] : []),
  ];
}

function nameOf({ path }: ManifestFault): string {
  return path === "" ? "manifest" : path;
}

function placeOf({ object, file, line, column }: ManifestLocation): string {
  const inText = file === undefined ? `line ${line}, column ${column}` : `${file}:${line}:${column}`;
  const places = [object, line === undefined ? file : inText].filter((place) => place !== undefined);
  return places.length === 0 ? "" : ` (${places.join(", ")})`;
}

/** Collects the faults of a manifest, so that one error contains them all. */
export class ManifestFaults {
  readonly #faults: ManifestFault[] = [];

  add(path: string, message: string, missing?: MissingObject): void {
    this.#faults.push({ path, message, ...(missing && { missing }) });
  }

  /** Runs a check, and collects its InvalidInputError instead of throwing it. Returns `undefined` then. */
  collect<T>(check: () => T): T | undefined {
    try {
      return check();
    } catch (error) {
      if (error instanceof InvalidManifestError) this.#faults.push(...error.faults);
      else if (error instanceof InvalidInputError) this.add(error.field, withoutField(error));
      else throw error;
      return undefined;
    }
  }

  /** @throws InvalidManifestError if there are faults */
  throwIfAny(): void {
    const [first, ...rest] = this.#faults;
    if (first !== undefined) throw new InvalidManifestError([first, ...rest]);
  }
}

function withoutField({ field, details }: InvalidInputError): string {
  return details.startsWith(`${field}: `) ? details.slice(field.length + 2) : details;
}
