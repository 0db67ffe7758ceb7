import { configMap, runtimeClass, secret, service, serviceAccount } from "./schema/objects.js";
import { pod } from "./schema/pod.js";
import type { FieldRow } from "./schema/schema.js";

/** Returns all fields of Pods, and of the objects that they refer to, with what happens to them. For the guide. */
export function fieldTable(): readonly (FieldRow & { kind: string })[] {
  const schemas = {
    Pod: pod,
    ConfigMap: configMap,
    Secret: secret,
    ServiceAccount: serviceAccount,
    RuntimeClass: runtimeClass,
    Service: service,
  };
  return Object.entries(schemas).flatMap(([kind, schema]) => {
    return schema.fields("").map((row) => ({ kind, ...row, path: row.path.replace(/^\./, "") }));
  });
}
