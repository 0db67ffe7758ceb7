import { CriError } from "../errors.js";

/** The error for ending stdin on a WebSocket session, where that would lose the output and the exit code. */
export function stdinCannotEnd(endpoint?: string): CriError {
  return new CriError({
    code: "UNIMPLEMENTED",
    message:
      "the session uses WebSocket, on which standard input cannot end without losing the output and the exit code; use SPDY, or, " +
      "if the runtime does not support it, write the input to a file in the container",
    method: "RuntimeService/Exec",
    endpoint,
    attempts: 1,
    mayHaveTakenEffect: true,
  });
}
