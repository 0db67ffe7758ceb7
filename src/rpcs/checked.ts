import { InvalidInputError, InvalidResponseError } from "../errors.js";
import { callPolicies, type Rpc } from "../transport/call-policy.js";
import type { Connection } from "../transport/connection.js";

/** Refuses a reply in which one of the named facts is missing: undefined, empty text, zero, or a Long of zero. */
export function demand(connection: Connection, rpc: Rpc, facts: Record<string, unknown>): void {
  for (const field in facts) {
    const value = facts[field];
    if (value !== undefined && value !== null && value !== "" && value !== 0 && !isZero(value)) continue;
    throw new InvalidResponseError({
      message: `the runtime's reply lacks ${field}, which CRI demands`,
      field,
      method: rpc,
      endpoint: rpc.startsWith("ImageService/") ? connection.imageEndpoint : connection.endpoint,
      attempts: 1,
      mayHaveTakenEffect: callPolicies[rpc].effect !== "reads",
    });
  }
}

function isZero(value: unknown): boolean {
  return typeof value === "object" && value !== null && "isZero" in value && (value as { isZero(): boolean }).isZero();
}

/**
 * The id to send: without the scheme that Kubernetes puts before it in a container's status, as in `containerd://<id>`. An empty
 * one is refused, because some runtimes take an id for a prefix.
 */
export function checkId(id: unknown, field: string): string {
  const [, bare] = typeof id === "string" ? (/^(?:[a-z][a-z0-9+.-]*:\/\/)?([^\s/]+)$/.exec(id) ?? []) : [];
  if (bare !== undefined) return bare;
  throw new InvalidInputError({
    field,
    message: "must be an id (or a unique beginning of one) as the runtime gave it",
    value: id,
  });
}
