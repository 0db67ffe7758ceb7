import type { IncomingMessage } from "node:http";
import { CriError, type CriErrorCode } from "../../errors.js";

/** How much of an answer's body is read for its first line. */
const maxBody = 1_024;

/**
 * What went wrong when a streaming server answers the request for a session with anything but 101: reads as much of the answer as
 * the message takes. The session's token is used up. Code UNIMPLEMENTED means that another protocol is worth a try. Resolves whatever becomes
 * of the connection.
 */
export async function readRefusal(response: IncomingMessage, endpoint: string): Promise<CriError> {
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
  const httpStatus = response.statusCode ?? 0;
  const [code, meaning] = meaningOf(httpStatus, accepted);
  const says = firstLine === "" ? "" : `: ${firstLine}`;
  return new CriError({ code, message: `${meaning} (HTTP ${httpStatus})${says}`, endpoint, attempts: 1 });
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
  // A server without a list of its own may still speak the other protocol.
  if (httpStatus === 403) return ["UNIMPLEMENTED", "the streaming server refused a session over SPDY/3.1"];
  if (httpStatus === 401) return ["UNAUTHENTICATED", "the streaming server demands credentials"];
  if (httpStatus >= 500 && httpStatus !== 501)
    return ["UNAVAILABLE", "the streaming server failed to start the session"];
  return ["UNIMPLEMENTED", "the streaming server did not switch to SPDY/3.1"];
}
