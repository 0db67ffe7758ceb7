import { InvalidInputError, InvalidResponseError } from "../errors.js";
import { callPolicies, type Rpc } from "../transport/call-policy.js";
import type { Connection } from "../transport/connection.js";

/**
 * Requires that none of these fields of a reply is missing: undefined, null, an empty string, zero, or a Long of zero.
 *
 * @param fields the values by the path of the field
 * @throws InvalidResponseError that names the first missing field
 */
export function requireFields(connection: Connection, rpc: Rpc, fields: Record<string, unknown>): void {
  for (const field in fields) {
    const value = fields[field];
    if (value !== undefined && value !== null && value !== "" && value !== 0 && !isZero(value)) continue;
    throw new InvalidResponseError({
      message: `the runtime's reply lacks ${field}, which CRI requires`,
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
 * Returns the id to send: without the scheme of a container's status in Kubernetes, as in `containerd://<id>`. Refuses an empty id,
 * because some runtimes treat an id as a prefix.
 *
 * @throws InvalidInputError
 */
export function checkId(id: unknown, field: string): string {
  const [, bare] = typeof id === "string" ? (/^(?:[a-z][a-z0-9+.-]*:\/\/)?([^\s/]+)$/.exec(id) ?? []) : [];
  if (bare !== undefined) return bare;
  throw new InvalidInputError({
    field,
    message: "must be an id (or a unique prefix of one) as returned by the runtime",
    value: id,
  });
}
