import type { Place } from "./place.js";

/** A value that may have faults: every field may be missing. Reading continues with it, so that one error has all faults. */
export type Draft<T> = T extends string | number | boolean
  ? T
  : T extends readonly (infer Item)[]
    ? readonly (Draft<Item> | undefined)[]
    : T extends object
      ? { readonly [K in keyof T]?: Draft<Exclude<T[K], undefined>> | undefined }
      : T;

/** Reads values of one type from a document, and describes them. */
export interface Schema<T> {
  /** Reads a value that is set. Returns undefined if it is of no use; its faults are reported then. */
  read(value: unknown, at: Place): Draft<T> | undefined;
  /** Describes the fields below this value, for the table of fields. */
  fields(path: string): readonly FieldRow[];
}

/** A row of the table of all fields. */
export interface FieldRow {
  path: string;
  status: "accepted" | "ignored" | "refused";
  /** Why a field is ignored or refused. */
  reason?: string | undefined;
}

export const noFields = (): readonly FieldRow[] => [];

/** Returns whether a field is set. Kubernetes does not distinguish an empty optional string from a missing one. */
export function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== "";
}
