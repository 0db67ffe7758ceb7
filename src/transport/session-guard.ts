import { constants } from "node:http2";

interface Session {
  on(event: "stream", listener: (stream: PushedStream) => void): void;
  request(...args: unknown[]): RequestStream;
  destroy(code: number): void;
  readonly destroyed: boolean;
}
interface PushedStream {
  on(event: "error", listener: () => void): void;
  close(code: number): void;
}
interface RequestStream {
  on(event: "headers", listener: () => void): void;
}

/** The number of pushed streams that a session accepts. gRPC servers push none. */
const maxPushes = 8;

/** The number of interim responses (1xx) that a call accepts before its reply. gRPC servers send none. */
const maxInterimHeaders = 8;

/**
 * Protects the HTTP/2 session of a connection from pushed streams and from floods of pushes and interim responses. grpc-js neither
 * handles them nor has options for them. The server can neither push nor reply before the first request.
 */
export function guardSession({ session }: { readonly session?: Session }): void {
  if (session) guard(session);
}

function guard(session: Session): void {
  let pushes = 0;
  session.on("stream", (stream) => {
    refusePush(stream);
    if (++pushes > maxPushes) session.destroy(constants.NGHTTP2_PROTOCOL_ERROR);
  });
  const { request } = session;
  session.request = (...args) => {
    // When this function throws, grpc-js opens a new session for the next call. Before Node.js 26, the original `request` throws
    // by itself.
    if (session.destroyed) throw new Error("the session is destroyed");
    const stream = request.apply(session, args);
    let interimHeaders = 0;
    // Node.js creates an object for each block, so a flood of them would block the event loop.
    stream.on("headers", () => {
      if (++interimHeaders > maxInterimHeaders) session.destroy(constants.NGHTTP2_PROTOCOL_ERROR);
    });
    return stream;
  };
}

/** Refuses a pushed stream, which gRPC does not use. Without the listener, a reset would end the process with an error. */
function refusePush(stream: PushedStream): void {
  stream.on("error", () => {});
  stream.close(constants.NGHTTP2_REFUSED_STREAM);
}
