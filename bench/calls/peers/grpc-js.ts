import type { Client } from "@grpc/grpc-js";

/** How a method is called and its messages are written and read. */
export interface UnaryMethod<Reply> {
  path: string;
  requestSerialize(request: object): Buffer;
  responseDeserialize(bytes: Buffer): Reply;
}

/** One call of a client of grpc-js, as a promise. */
export function unary<Reply>(client: Client, method: UnaryMethod<Reply> | undefined, request: object): Promise<Reply> {
  return new Promise((resolve, reject) => {
    if (!method) throw new Error("There is no such method.");
    const { path, requestSerialize, responseDeserialize } = method;
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, reply) => {
      if (reply === undefined) reject(error);
      else resolve(reply);
    });
  });
}
