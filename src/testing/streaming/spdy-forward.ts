import type { SpdyStream } from "../../streaming/spdy/stream.js";
import type { Upgrade } from "./command-session.js";
import { type ConnectPort, join } from "./forwarding.js";
import { acceptSpdy } from "./spdy-server.js";

/** The streams that the client opens for each connection. */
interface Pair {
  error?: SpdyStream;
  data?: SpdyStream;
}

/** Accepts a port-forward session over SPDY/3.1: any number of connections to any ports. */
export function acceptSpdyForward({ request, socket, head }: Upgrade, connect: ConnectPort): void {
  const pairs = new Map<string, Pair>();
  acceptSpdy(request, socket, ["portforward.k8s.io"], {
    head,
    onStream: (stream) => {
      const [type, id = "", port] = ["streamtype", "requestid", "port"].map((name) => stream.headers.get(name)?.[0]);
      if (type !== "error" && type !== "data") return void stream.destroy();
      const pair = pairs.get(id) ?? {};
      pairs.set(id, pair);
      pair[type] = stream;
      const { error, data } = pair;
      if (!error || !data) return;
      pairs.delete(id);
      void forward(error, data, Number(port), connect);
    },
  });
}

async function forward(error: SpdyStream, data: SpdyStream, port: number, connect: ConnectPort): Promise<void> {
  try {
    await join(data, await connect(port));
  } catch (reason) {
    await new Promise<void>((resolve) => error.write((reason as Error).message, () => resolve()));
  }
  data.destroy();
  error.destroy();
}
