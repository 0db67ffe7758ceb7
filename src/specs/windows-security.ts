import { flag, optionalString, refuse } from "../input/check.js";
import { type FieldsOf, ObjectReader } from "../input/object-reader.js";
import type { WindowsSpec } from "./pod-spec.js";

/** The fields of {@link WindowsSpec}. */
export const windowsFields: FieldsOf<WindowsSpec> = { runAsUserName: true, credentialSpec: true, hostProcess: true };

/** Converts the settings of a Windows pod. */
export function toWindowsSecurity(spec: WindowsSpec | undefined, field: string) {
  const { hostProcess = false, ...security } = readWindowsSecurity(new ObjectReader(spec ?? {}, field, windowsFields));
  return { ...security, hostProcess };
}

/** Reads the settings that Windows pods and containers have in common. */
export function readWindowsSecurity(spec: ObjectReader<WindowsSpec>) {
  return {
    runAsUsername: spec.read("runAsUserName", optionalString),
    credentialSpec: spec.optional("credentialSpec", credential) ?? "",
    hostProcess: spec.optional("hostProcess", flag),
  };
}

/** Checks a credential. Errors do not show it. */
function credential(value: unknown, field: string): string {
  return typeof value === "string" ? value : refuse(field, "must be a string");
}
