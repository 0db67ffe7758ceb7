import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { buffer } from "node:stream/consumers";

/** What the server in the pod answers every request with. */
export const served = Buffer.alloc(2 ** 20, "soak\n");

/** Fetches what the server serves, over a connection of its own, and resolves with its length. Rejects if it is anything else. */
export async function download(port: number): Promise<number> {
  const request = get({ host: "127.0.0.1", port, path: "/data", agent: false });
  const [reply] = (await once(request, "response")) as [IncomingMessage];
  const body = await buffer(reply);
  if (!body.equals(served)) throw new Error(`the server sent ${body.length} bytes that are not what it serves`);
  return body.length;
}
