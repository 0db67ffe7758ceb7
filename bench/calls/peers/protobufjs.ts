/** grpc-js with the static code that protobufjs generates. @module */
import { readFile } from "node:fs/promises";
import { Client, credentials } from "@grpc/grpc-js";
import { unary } from "./grpc-js.js";
import { filterOf, type Item, itemsField, type OpenPeer } from "./peer.js";

type Message = Record<string, Item[] | undefined>;

interface MessageClass {
  fromObject(object: object): Message;
  encode(message: object): { finish(): Uint8Array };
  decode(bytes: Uint8Array): Message;
}

export const open: OpenPeer = async ({ socket, protobufjs, reply, requestJson }) => {
  const { runtime } = (await import(protobufjs)) as { runtime: { v1: Record<string, MessageClass> } };
  const classOf = (name: string) => {
    const found = runtime.v1[name];
    if (!found) throw new Error(`There is no message ${name}.`);
    return found;
  };
  const method = (name: string) => {
    const [request, response] = [classOf(`${name}Request`), classOf(`${name}Response`)];
    return {
      path: `/runtime.v1.RuntimeService/${name}`,
      requestSerialize: (message: object) => request.encode(message).finish() as Buffer,
      responseDeserialize: (bytes: Buffer) => response.decode(bytes),
    };
  };
  const client = new Client(`unix:${socket}`, credentials.createInsecure(), { "grpc.max_receive_message_length": -1 });
  const lists = {
    ListContainers: method("ListContainers"),
    ListPodSandbox: method("ListPodSandbox"),
    ListContainerStats: method("ListContainerStats"),
  };
  const version = method("Version");
  const bytes = await readFile(reply);
  const [request, response] = [classOf("CreateContainerRequest"), classOf("ListContainersResponse")];
  const message = request.fromObject(JSON.parse(await readFile(requestJson, "utf8")));
  return {
    version: () => unary(client, version, {}),
    list: async (name, n) => (await unary(client, lists[name], { filter: filterOf(n) }))[itemsField[name]] ?? [],
    decode: () => response.decode(bytes).containers ?? [],
    encode: () => request.encode(message).finish(),
  };
};
