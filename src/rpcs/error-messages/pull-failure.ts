import type { GrpcErrorCode, ImagePullFailure } from "../../errors.js";

/** Returns why a pull failed. CRI defines the first two prefixes (cri-api's pkg/errors). */
export function pullFailure(code: GrpcErrorCode, details: string): ImagePullFailure {
  if (/RegistryUnavailable/.test(details)) return "RegistryUnavailable";
  if (/SignatureValidationFailed/.test(details)) return "SignatureValidationFailed";
  const status = httpStatusIn(details);
  const unauthorized =
    /unauthori[sz]ed|authentication required|authorization failed|no basic auth credentials|insufficient_scope/i;
  if (status === 401 || status === 403 || unauthorized.test(details)) return "Unauthorized";
  if (code === "NOT_FOUND" || /not found|manifest unknown|does not exist/i.test(details)) return "NotFound";
  if (/invalid reference|failed to parse image|could not parse|unable to parse/i.test(details))
    return "InvalidReference";
  // Go reports EOF or unexpected EOF when the peer closes the connection.
  const unreachable =
    /connection refused|no such host|i\/o timeout|TLS handshake|dial tcp|connection reset|broken pipe|\bEOF\b/i;
  if (status === 429 || (status !== undefined && status >= 500) || unreachable.test(details)) {
    return "RegistryUnavailable";
  }
  return "Other";
}

/** Returns the HTTP status of a registry. Ports, sizes and names may contain the same numbers. */
function httpStatusIn(details: string): number | undefined {
  // containerd: unexpected status code http://…: 429 Too Many Requests
  // CRI-O: received unexpected HTTP status: 500 Internal Server Error; StatusCode: 403
  // cri-dockerd: error parsing HTTP 403 response body
  const found = /(?:[Ss]tatus ?[Cc]ode:? ?|[Ss]tatus:? |HTTP )([45]\d\d)\b|: ([45]\d\d)(?:,| [A-Z])/.exec(details);
  return found ? Number(found[1] ?? found[2]) : undefined;
}
