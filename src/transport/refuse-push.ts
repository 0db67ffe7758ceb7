import { constants } from "node:http2";
import type { Channel } from "@grpc/grpc-js";

/** The part of grpc-js' internals that lies between a channel and its HTTP/2 session. */
interface Innards {
  internalChannel?: { subchannelPool?: { getOrCreateSubchannel?: (...args: unknown[]) => { connector?: Connector } } };
}
interface Connector {
  connect?: (...args: unknown[]) => Promise<{ session?: PushingSession } | undefined>;
}
interface PushingSession {
  on(event: "stream", listener: (stream: PushedStream) => void): void;
}
interface PushedStream {
  on(event: "error", listener: () => void): void;
  close(code: number): void;
}

const guarded = new WeakSet<object>();

/**
 * Refuses what a server pushes. gRPC has no use for it, but grpc-js neither forbids it nor looks after it, so that a server that
 * pushes a stream and resets it makes Node.js throw an error that nobody can catch: the process ends.
 *
 * There is no option for it, hence the way through the internals. Where they are not as expected nothing happens; a test tells.
 */
export function refusePush(channel: Channel): void {
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
        // Nothing can be pushed before the first request is out.
        transport?.session?.on("stream", refuse);
        return transport;
      };
    }
    return subchannel;
  };
}

function refuse(stream: PushedStream): void {
  stream.on("error", () => {});
  stream.close(constants.NGHTTP2_REFUSED_STREAM);
}
