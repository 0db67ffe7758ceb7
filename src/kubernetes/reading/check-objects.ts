import { checkOptions, type FieldsOf } from "../../input/call-options.js";
import { refuse } from "../../input/check.js";
import { isRecord } from "../../internal/record.js";
import { typeName } from "../../internal/type-name.js";
import { ManifestFaults } from "../manifest/invalid-manifest-error.js";
import type { KubernetesObjects } from "../manifest/objects.js";
import { kinds } from "./kinds.js";
import type { Manifests } from "./reader.js";
import { type Findings, Place, pathText } from "./schema/place.js";

const fields: FieldsOf<KubernetesObjects> = {
  configMaps: true,
  secrets: true,
  serviceAccounts: true,
  runtimeClasses: true,
  services: true,
};

/**
 * Checks the objects that a caller passed, and returns copies. Entries of a list from an API server state no kind: it is that of
 * the list.
 *
 * @throws InvalidManifestError with the faults of all objects; InvalidInputError if the lists are none
 */
export function checkObjects(given: KubernetesObjects = {}): Manifests["objects"] {
  checkOptions(given, fields, "objects");
  const faults = new ManifestFaults();
  const findings: Findings = { fault: (path, message) => faults.add(pathText(path), message), ignored() {} };
  const read = (list: keyof KubernetesObjects): unknown[] => {
    const objects: unknown = given[list] ?? [];
    if (!Array.isArray(objects)) refuse(`objects.${list}`, `must be a list, got ${typeName(objects)}`);
    const [kind, { apiVersion, schema }] = Object.entries(kinds).find(([, entry]) => entry.list === list)!;
    return Array.from(objects as unknown[], (object, index) => {
      const stated = isRecord(object) ? { ...object, kind: object.kind ?? kind } : object;
      const value = isRecord(stated) ? { ...stated, apiVersion: stated.apiVersion ?? apiVersion } : stated;
      return schema.read(value, new Place(findings, ["objects", list, index]));
    });
  };
  const objects = Object.fromEntries(Object.keys(fields).map((list) => [list, read(list as keyof KubernetesObjects)]));
  faults.throwIfAny();
  return objects as unknown as Manifests["objects"];
}
