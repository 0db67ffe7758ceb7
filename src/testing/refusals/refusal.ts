import type { ServerError } from "nice-grpc-common";
import type { FlavorProfile } from "../flavors/profile.js";
import { rpcError } from "../handlers.js";

/*
 * The requests that containerd rejects because of their settings, measured on 1.6.20, 1.7.24 and 2.1.9 with runc 1.1.5. Other
 * runtimes were not measured, so their flavours reject none of these.
 */

/** The refusal of a request: the runtime's error message and its origin. */
export interface Refusal {
  readonly reason: string;
  readonly code?: "UNKNOWN" | "INVALID_ARGUMENT" | "NOT_FOUND";
  /** Whether runc rejects the request, so that the shim wraps the message. */
  readonly runc?: boolean;
}

/** Checks one setting of a request. Returns undefined if it is valid. */
export type Rule<T extends readonly unknown[]> = (...request: T) => string | Refusal | undefined;

/** Returns the first refusal. The rules are in the runtime's order. */
export function firstRefusal<T extends readonly unknown[]>(
  rules: readonly Rule<T>[],
  ...request: T
): Refusal | undefined {
  for (const rule of rules) {
    const refusal = rule(...request);
    if (refusal !== undefined) return typeof refusal === "string" ? { reason: refusal } : refusal;
  }
  return undefined;
}

/** Creates the error for a refusal, with the context that this version of containerd adds. */
export function refusalError({ reason, code, runc }: Refusal, context: string, { name }: FlavorProfile): ServerError {
  if (!runc) return rpcError(code ?? "UNKNOWN", `${context}${reason}`);
  const shim =
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed";
  return rpcError(code ?? "UNKNOWN", `${context}${shim}: ${reason}${name === "containerd-2" ? "" : ": unknown"}`);
}

/** Makes a refusal by runc. */
export const runcRefusal = (reason: string): Refusal => ({ reason, runc: true });
