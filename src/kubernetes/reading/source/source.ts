import type { TextDocument } from "../../../json/yaml/yaml-text.js";
import type { ManifestLocation } from "../../manifest/invalid-manifest-error.js";
import type { Part, Path } from "../schema/place.js";

/** A document to read: a document of a text, or an object of the caller. */
export interface Source {
  value: unknown;
  /** The path of the document in the input, for arrays of objects. */
  path: Path;
  file?: string | undefined;
  /** Absent for objects of the caller. */
  text?: TextDocument | undefined;
}

/**
 * Returns the position of a field. For a missing field, it is the position of the nearest object around it; for the fault of a
 * value, that of the value; for a field that should not be there, that of its key.
 */
export function locate({ value, file, text }: Source, path: Path, part: Part): ManifestLocation {
  const position = text && positionIn(text, value, path, part);
  return {
    ...(file !== undefined && { file }),
    ...(text !== undefined && { document: text.number }),
    ...position,
  };
}

function positionIn(text: TextDocument, root: unknown, path: Path, part: Part) {
  let container: unknown = root;
  let position: ReturnType<TextDocument["positionOf"]>;
  for (const [depth, key] of path.entries()) {
    if (typeof container !== "object" || container === null || !Object.hasOwn(container, key)) break;
    position = text.positionOf(container, key, depth === path.length - 1 ? part : "value");
    container = (container as Readonly<Record<string | number, unknown>>)[key];
  }
  return position ?? (typeof root === "object" && root !== null ? text.positionOf(root) : { line: 1, column: 1 });
}
