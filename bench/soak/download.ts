import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { buffer } from "node:stream/consumers";

/** The body of every reply of the server in the pod. */
export const served = Buffer.alloc(2 ** 20, "soak\n");

/** Downloads {@link served} over a new connection. Resolves with its length. Rejects if the body differs. */
export async function download(port: number): Promise<number> {
  const request = get({ host: "127.0.0.1", port, path: "/data", agent: false });
  const [reply] = (await once(request, "response")) as [IncomingMessage];
  const body = await buffer(reply);
  if (!body.equals(served)) throw new Error(`the server sent ${body.length} unexpected bytes`);
  return body.length;
}
