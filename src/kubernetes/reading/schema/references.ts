import type {
  FieldReferenceManifest,
  KeyReferenceManifest,
  OptionalReferenceManifest,
  ResourceReferenceManifest,
} from "../../manifest/container.js";
import type { LocalReferenceManifest } from "../../manifest/pod.js";
import { divisorRule, fieldOfFile, fieldOfVariable, resourceField } from "../rules/downward-fields.js";
import { dataKey, dnsSubdomain } from "../rules/names.js";
import { object, required } from "./object.js";
import { boolean, oneOf, quantity, string } from "./scalars.js";
import type { Schema } from "./schema.js";

export const localReference: Schema<LocalReferenceManifest> = object<LocalReferenceManifest>({
  name: required(string(dnsSubdomain)),
});

export const optionalReference: Schema<OptionalReferenceManifest> = object<OptionalReferenceManifest>({
  name: required(string(dnsSubdomain)),
  optional: boolean,
});

export const keyReference: Schema<KeyReferenceManifest> = object<KeyReferenceManifest>({
  name: required(string(dnsSubdomain)),
  key: required(string(dataKey)),
  optional: boolean,
});

const apiVersion = oneOf<"v1">({ v1: true });

/** A field of the pod as the value of an environment variable. */
export const variableField: Schema<FieldReferenceManifest> = object<FieldReferenceManifest>({
  apiVersion,
  fieldPath: required(string(fieldOfVariable)),
});

/** A field of the pod as the content of a file. */
export const fileField: Schema<FieldReferenceManifest> = object<FieldReferenceManifest>({
  apiVersion,
  fieldPath: required(string(fieldOfFile)),
});

export const resourceReference: Schema<ResourceReferenceManifest> = object<ResourceReferenceManifest>(
  { containerName: string(), resource: required(string(resourceField)), divisor: quantity },
  {},
  divisorRule,
);
