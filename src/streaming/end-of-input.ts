import { CriError } from "../errors.js";

/** A session over which the end of the input would cost the output. */
export function noEndOfInput(endpoint?: string): CriError {
  return new CriError({
    code: "UNIMPLEMENTED",
    message:
      "the session is over WebSocket, on which standard input cannot end without losing the output and the exit code; use SPDY, or, " +
      "where the runtime does not speak that, write the input to a file in the container",
    method: "RuntimeService/Exec",
    endpoint,
    attempts: 1,
    mayHaveTakenEffect: true,
  });
}
