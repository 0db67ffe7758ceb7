import { CriError } from "../../errors.js";

/** The peer sent something that SPDY/3.1 does not allow, or more than this side takes. The connection is over after it. */
export function protocolError(what: string, cause?: unknown): CriError {
  const message = `the streaming server broke the SPDY/3.1 protocol: ${what}`;
  return new CriError({ code: "INTERNAL", message, attempts: 1, mayHaveTakenEffect: true, cause });
}
