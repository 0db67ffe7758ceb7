import type { Client } from "@grpc/grpc-js";

/** The path and codecs of a method. */
export interface UnaryMethod<Reply> {
  path: string;
  requestSerialize(request: object): Buffer;
  responseDeserialize(bytes: Buffer): Reply;
}

/** Calls a method of a grpc-js client. */
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
