import { CriError } from "../errors.js";
import type { SessionOrigin } from "./transport.js";

/** Creates the error for ending stdin on a WebSocket session, where ending it would lose the output and the exit code. */
export function stdinCannotEnd(origin: SessionOrigin | undefined): CriError {
  return new CriError({
    code: "UNIMPLEMENTED",
    message:
      "the session uses WebSocket, on which standard input cannot end without losing the output and the exit code; use SPDY, or, " +
      "if the runtime does not support it, write the input to a file in the container",
    attempts: 1,
    mayHaveTakenEffect: true,
  }).during(origin);
}
