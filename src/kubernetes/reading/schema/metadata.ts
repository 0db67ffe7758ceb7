import type { ManifestMetadata } from "../../manifest/metadata.js";
import { annotationKey, dnsLabel, labelValue, qualifiedName } from "../rules/names.js";
import { stringMap } from "./collections.js";
import { object, required } from "./object.js";
import type { Place } from "./place.js";
import { type Check, string } from "./scalars.js";
import type { Draft, Schema } from "./schema.js";

const maxAnnotationBytes = 256 * 1024;

const otherFields = {
  ignored: {
    creationTimestamp: "set by the API server",
    deletionGracePeriodSeconds: "set by the API server",
    deletionTimestamp: "set by the API server",
    finalizers: "used by controllers of a cluster",
    generateName: "the name is used",
    generation: "set by the API server",
    managedFields: "set by the API server",
    ownerReferences: "used by controllers of a cluster",
    resourceVersion: "set by the API server",
    selfLink: "set by the API server",
  },
};

const labels = stringMap(string(labelValue), qualifiedName);
const annotations = stringMap(string(), annotationKey);

/** The metadata of an object. */
export function metadata(checkName: Check): Schema<ManifestMetadata> {
  return object<ManifestMetadata>(
    {
      name: required(string(checkName), { remedy: "generateName is not supported" }),
      namespace: string(dnsLabel),
      uid: string(),
      labels,
      annotations,
    },
    otherFields,
    annotationSize,
  );
}

/** The metadata of a template of pods, whose name and namespace are those of its workload. */
export interface TemplateMetadata {
  labels?: Readonly<Record<string, string>> | undefined;
  annotations?: Readonly<Record<string, string>> | undefined;
}

export const templateMetadata: Schema<TemplateMetadata> = object<TemplateMetadata>(
  { labels, annotations },
  {
    ignored: {
      ...otherFields.ignored,
      name: "the pod has the name of its workload",
      namespace: "the pod has the namespace of its workload",
      uid: "set by the API server",
    },
  },
  annotationSize,
);

function annotationSize(value: Draft<TemplateMetadata>, at: Place): void {
  const entries = Object.entries(value.annotations ?? {});
  const bytes = entries.reduce((sum, [key, text]) => sum + Buffer.byteLength(key) + Buffer.byteLength(text ?? ""), 0);
  if (bytes > maxAnnotationBytes)
    at.at("annotations").fault(`must have at most ${maxAnnotationBytes} bytes, got ${bytes}`);
}
