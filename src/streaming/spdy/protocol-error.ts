import { CriError } from "../../errors.js";

/** The peer sent something that SPDY/3.1 does not allow, or more than this side takes. The connection is over after it. */
export class SpdyProtocolError extends CriError {
  constructor(what: string, cause?: unknown) {
    super({ code: "INTERNAL", message: `the streaming server broke the SPDY/3.1 protocol: ${what}`, cause });
  }
}
