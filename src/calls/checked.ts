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

/** An id that can be sent. An empty one would be a prefix of every id to some runtimes. */
export function checkId(id: unknown, field: string): string {
  if (typeof id === "string" && /^[^\s/]+$/.test(id)) return id;
  throw new InvalidInputError({
    field,
    message: "must be an id (or a unique beginning of one) as the runtime gave it",
    value: id,
  });
}
