import { CriError } from "../../errors.js";

/** Makes the error for a peer that violated SPDY/3.1 or exceeded a limit. It ends the connection. */
export function protocolError(violation: string, cause?: unknown): CriError {
  const message = `the streaming server violated the SPDY/3.1 protocol: ${violation}`;
  return new CriError({ code: "INTERNAL", message, attempts: 1, mayHaveTakenEffect: true, cause });
}

/** Makes the error for a connection that closed or broke. */
export function connectionLost(message: string, cause?: unknown): CriError {
  return new CriError({ code: "UNAVAILABLE", message, attempts: 1, mayHaveTakenEffect: true, cause });
}
