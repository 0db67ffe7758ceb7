import type { ManifestMetadata } from "../manifest/metadata.js";

/** An object with a name and a namespace. */
export interface NamedObject {
  metadata: Pick<ManifestMetadata, "name" | "namespace">;
}

/** Returns the namespace of an object. */
export function namespaceIn({ metadata }: NamedObject): string {
  return metadata.namespace ?? "default";
}

/** Finds an object of a namespace. Of several with one name, the last one applies, as if they were applied in order. */
export function findNamed<T extends NamedObject>(
  objects: readonly T[] | undefined,
  namespace: string,
  name: string,
): T | undefined {
  return objects?.findLast((object) => object.metadata.name === name && namespaceIn(object) === namespace);
}
