import { constants } from "node:http2";
import type { Channel } from "@grpc/grpc-js";

/** The part of grpc-js' internals that lies between a channel and its HTTP/2 session. */
interface Innards {
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

/** Pushes that a session may get. Servers of gRPC send none. */
const maxPushes = 8;

/** Header blocks that a call may get before its answer: interim responses (1xx). Servers of gRPC send none. */
const maxInterimHeaders = 8;

const guarded = new WeakSet<object>();

/**
 * Guards the HTTP/2 sessions of a channel against what grpc-js neither handles nor has options for: pushed streams, and floods of
 * pushes and interim responses.
 *
 * It reaches through grpc-js' internals. Where they are not as expected, it does nothing, and tests fail.
 */
export function guardSessions(channel: Channel): void {
  const pool = (channel as unknown as Innards).internalChannel?.subchannelPool;
  const create = pool?.getOrCreateSubchannel;
  // Channels may share a pool, and it hands out the same subchannel again.
  if (!pool || !create || guarded.has(pool)) return;
  guarded.add(pool);
  pool.getOrCreateSubchannel = (...args) => {
    const subchannel = create.apply(pool, args);
    const { connector } = subchannel;
    const connect = connector?.connect;
    if (connector && connect && !guarded.has(connector)) {
      guarded.add(connector);
      connector.connect = async (...how) => {
        const transport = await connect.apply(connector, how);
        // Nothing can be pushed or answered before the first request is out.
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
    // grpc-js opens a new session for the next call when this throws. Node.js before 26 does so itself.
    if (session.destroyed) throw new Error("the session is destroyed");
    const stream = request.apply(session, args);
    let interimHeaders = 0;
    // Node.js makes an object of each. The rest of the flood would keep the event loop for as long as it lasts.
    stream.on("headers", () => {
      if (++interimHeaders > maxInterimHeaders) session.destroy(constants.NGHTTP2_PROTOCOL_ERROR);
    });
    return stream;
  };
}

/** gRPC has no use for pushes. One that is pushed and reset makes Node.js throw an error that nobody can catch: the process ends. */
function refusePush(stream: PushedStream): void {
  stream.on("error", () => {});
  stream.close(constants.NGHTTP2_REFUSED_STREAM);
}
