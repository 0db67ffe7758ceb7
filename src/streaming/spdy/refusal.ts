import type { IncomingMessage } from "node:http";
import { CriError, type CriErrorCode } from "../../errors.js";

/** How much of an answer's body is read for its first line. */
const maxBody = 1_024;

/** A streaming server that answered the request for a session with something else. Its token is used up. */
export class UpgradeRefusedError extends CriError {
  /** The status of the HTTP answer. */
  readonly httpStatus: number;
  /** The protocols that the server would have spoken, where it says so. */
  readonly acceptedProtocols: readonly string[];

  constructor(endpoint: string, httpStatus: number, acceptedProtocols: readonly string[], firstLine: string) {
    const [code, meaning] = meaningOf(httpStatus, acceptedProtocols);
    const says = firstLine === "" ? "" : `: ${firstLine}`;
    super({ code, message: `${meaning} (HTTP ${httpStatus})${says}`, endpoint });
    this.httpStatus = httpStatus;
    this.acceptedProtocols = acceptedProtocols;
  }
}

/** Reads as much of an answer as an error message takes. Resolves whatever becomes of the connection. */
export async function readRefusal(response: IncomingMessage, endpoint: string): Promise<UpgradeRefusedError> {
  const parts: Buffer[] = [];
  let length = 0;
  try {
    for await (const part of response as AsyncIterable<Buffer>) {
      parts.push(part);
      length += part.length;
      if (length >= maxBody || part.includes("\n")) break;
    }
  } catch {
    // The status is what counts.
  }
  const body = Buffer.concat(parts).subarray(0, maxBody).toString("utf8");
  const firstLine = (body.trim().split(/[\r\n]/, 1)[0] ?? "").replace(/\p{Cc}/gu, " ").slice(0, 256);
  const accepted = listOf(response.headersDistinct["x-accepted-stream-protocol-versions"]);
  return new UpgradeRefusedError(endpoint, response.statusCode ?? 0, accepted, firstLine);
}

/** The values of a header that may be repeated, hold a list, or both. */
export function listOf(values: readonly string[] | undefined): string[] {
  const items = (values ?? []).flatMap((value) => value.split(",")).map((item) => item.trim());
  return items.filter((item) => item !== "").slice(0, 16);
}

function meaningOf(httpStatus: number, accepted: readonly string[]): [CriErrorCode, string] {
  if (httpStatus === 404) {
    return ["NOT_FOUND", "the streaming server does not know the session: its token has expired or was used before"];
  }
  if (httpStatus === 403 && accepted.length > 0) {
    const list = accepted.join(", ").slice(0, 256);
    return ["UNIMPLEMENTED", `the streaming server speaks none of the protocols on offer, only ${list}`];
  }
  if (httpStatus === 403) return ["PERMISSION_DENIED", "the streaming server refused the session"];
  if (httpStatus === 401) return ["UNAUTHENTICATED", "the streaming server demands credentials"];
  if (httpStatus >= 500) return ["UNAVAILABLE", "the streaming server failed to start the session"];
  return ["UNIMPLEMENTED", "the streaming server did not switch to SPDY/3.1"];
}
