import type { Channel } from "@grpc/grpc-js";

/** The internals of grpc-js between a channel and its connections. */
interface ChannelInternals {
  internalChannel?: { subchannelPool?: { getOrCreateSubchannel?: (...args: unknown[]) => { connector?: Connector } } };
}
interface Connector {
  connect?: (...args: unknown[]) => Promise<object | undefined>;
}

/** The pools and connectors that have been patched. */
const patched = new WeakSet<object>();

/**
 * Calls a function with each connection of a channel, before its first call.
 *
 * This function patches internals of grpc-js, which has no options for that. If another version of grpc-js has other internals, it
 * does nothing, and the tests of what uses it fail.
 */
export function onTransport(channel: Channel, use: (transport: object) => void): void {
  const pool = (channel as unknown as ChannelInternals).internalChannel?.subchannelPool;
  const create = pool?.getOrCreateSubchannel;
  // Channels may share a pool, and a pool may return the same subchannel again.
  if (!pool || !create || patched.has(pool)) return;
  patched.add(pool);
  pool.getOrCreateSubchannel = (...args) => {
    const subchannel = create.apply(pool, args);
    const { connector } = subchannel;
    const connect = connector?.connect;
    if (connector && connect && !patched.has(connector)) {
      patched.add(connector);
      connector.connect = async (...target) => {
        const transport = await connect.apply(connector, target);
        if (transport) use(transport);
        return transport;
      };
    }
    return subchannel;
  };
}
