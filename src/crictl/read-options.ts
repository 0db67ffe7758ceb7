import type { DocumentFault } from "../errors.js";
import type { FieldsOf } from "../internal/record.js";

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

export const readFields: FieldsOf<CrictlConfigOptions & CrictlOutputOptions> = { onIgnored: true };
