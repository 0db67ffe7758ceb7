import { flag, optionalString, refuse } from "../input/check.js";
import { type FieldsOf, ObjectReader } from "../input/object-reader.js";
import type { WindowsContainerSecurityContext } from "../proto.js";
import type { WindowsSpec } from "./pod-spec.js";

/** The fields of {@link WindowsSpec}. */
export const windowsFields: FieldsOf<WindowsSpec> = { runAsUserName: true, credentialSpec: true, hostProcess: true };

/** Converts the settings of a pod on Windows. */
export function toWindowsSecurity(spec: WindowsSpec | undefined, field: string): WindowsContainerSecurityContext {
  return readWindowsSecurity(new ObjectReader(spec ?? {}, field, windowsFields), false);
}

/** Reads the Windows settings that pods and containers have in common. */
export function readWindowsSecurity(
  spec: ObjectReader<WindowsSpec>,
  hostProcess: boolean,
): WindowsContainerSecurityContext {
  return {
    runAsUsername: spec.read("runAsUserName", optionalString),
    credentialSpec: spec.optional("credentialSpec", credential) ?? "",
    hostProcess: spec.optional("hostProcess", flag) ?? hostProcess,
  };
}

/** Errors do not show it, like any other credential. */
function credential(value: unknown, field: string): string {
  return typeof value === "string" ? value : refuse(field, "must be a string");
}
