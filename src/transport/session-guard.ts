import { constants } from "node:http2";
import type { Channel } from "@grpc/grpc-js";

/** The internals of grpc-js between a channel and its HTTP/2 sessions. */
interface ChannelInternals {
  internalChannel?: { subchannelPool?: { getOrCreateSubchannel?: (...args: unknown[]) => { connector?: Connector } } };
}
interface Connector {
  connect?: (...args: unknown[]) => Promise<{ session?: Session } | undefined>;
}
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

const guarded = new WeakSet<object>();

/**
 * Protects the HTTP/2 sessions of a channel from pushed streams and from floods of pushes and interim responses. grpc-js neither
 * handles them nor has options for them.
 *
 * This function patches internals of grpc-js. If another version of grpc-js has other internals, the function does nothing, and
 * its tests fail.
 */
export function guardSessions(channel: Channel): void {
  const pool = (channel as unknown as ChannelInternals).internalChannel?.subchannelPool;
  const create = pool?.getOrCreateSubchannel;
  // Channels may share a pool, and a pool may return the same subchannel again.
  if (!pool || !create || guarded.has(pool)) return;
  guarded.add(pool);
  pool.getOrCreateSubchannel = (...args) => {
    const subchannel = create.apply(pool, args);
    const { connector } = subchannel;
    const connect = connector?.connect;
    if (connector && connect && !guarded.has(connector)) {
      guarded.add(connector);
      connector.connect = async (...target) => {
        const transport = await connect.apply(connector, target);
        // The server can neither push nor reply before the first request.
        if (transport?.session) guard(transport.session);
        return transport;
      };
    }
    return subchannel;
  };
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
