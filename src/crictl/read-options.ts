import { type DocumentFault, InvalidInputError } from "../errors.js";
import { checkOptions, type FieldsOf } from "../input/call-options.js";
import { typeName } from "../internal/type-name.js";
import type { Leniency } from "./document.js";

/** Options of the functions that read files of crictl. */
export interface CrictlConfigOptions {
  /**
   * Reads the file as leniently as crictl does, and calls this function for everything that crictl ignores or converts: unknown
   * fields, keys that are set twice, numbers where strings are required, and further YAML documents.
   *
   * @defaultValue all of this is refused
   */
  onIgnored?: ((ignored: DocumentFault) => void) | undefined;
}

/** Options of the functions that read the output of crictl. */
export interface CrictlOutputOptions {
  /**
   * Called for each unknown field, which a newer crictl or runtime may have added.
   *
   * @defaultValue unknown fields are ignored
   */
  onIgnored?: ((ignored: DocumentFault) => void) | undefined;
}

const fields: FieldsOf<CrictlConfigOptions & CrictlOutputOptions> = { onIgnored: true };

/** Checks options. Returns what they say about unknown fields, or the default. @throws InvalidInputError */
export function leniencyOf(
  options: CrictlConfigOptions | CrictlOutputOptions,
  defaultLeniency: "ignore" | "refuse",
): Leniency {
  checkOptions(options, fields);
  const { onIgnored = defaultLeniency } = options;
  if (typeof onIgnored === "function" || onIgnored === defaultLeniency) return onIgnored;
  throw new InvalidInputError({ field: "onIgnored", message: `must be a function, got ${typeName(onIgnored)}` });
}
