import { InvalidInputError, nameClass } from "../../errors.js";

/** One fault of a manifest. */
export interface ManifestFault {
  /** The path of the field in the document, such as `spec.containers[0].image`. */
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
    super({ field: faults[0].path, message: lines(faults) });
    this.faults = faults;
  }
}

function lines([first, ...rest]: readonly [ManifestFault, ...ManifestFault[]]): string[] {
  const others = rest.slice(0, maxShown - 1).map(({ path, message }) => `${path}: ${message}`);
  const omitted = rest.length - others.length;
  return [first.message, ...others, ...(omitted > 0 ? [`${omitted} more faults are in the field "faults"`] : [])];
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
