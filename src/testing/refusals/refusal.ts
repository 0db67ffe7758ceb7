import type { ServerError } from "nice-grpc-common";
import type { FlavorProfile } from "../flavors/profile.js";
import { rpcError } from "../handlers.js";

/*
 * What containerd refuses for what is in a request, measured on 1.6.20, 1.7.24 and 2.1.9 with runc 1.1.5. Of other runtimes it is not
 * known, and they refuse nothing here.
 */

/** One refusal: the reason as the runtime gives it, and where it comes from. */
export interface Refusal {
  readonly reason: string;
  readonly code?: "UNKNOWN" | "INVALID_ARGUMENT" | "NOT_FOUND";
  /** Whether the reason is runc's, which comes through the shim. */
  readonly runc?: boolean;
}

/** Looks at one thing in a request; undefined if there is nothing wrong with it. */
export type Rule<T extends readonly unknown[]> = (...request: T) => string | Refusal | undefined;

/** The first refusal among the rules, which are in the order in which the runtime looks. */
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

/** The error for a refusal, with what this version of containerd puts around it. */
export function refusalError({ reason, code, runc }: Refusal, context: string, { name }: FlavorProfile): ServerError {
  if (!runc) return rpcError(code ?? "UNKNOWN", `${context}${reason}`);
  const shim =
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed";
  return rpcError(code ?? "UNKNOWN", `${context}${shim}: ${reason}${name === "containerd-2" ? "" : ": unknown"}`);
}

/** A refusal of runc's. */
export const byRunc = (reason: string): Refusal => ({ reason, runc: true });
