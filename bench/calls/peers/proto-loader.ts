/** grpc-js with the .proto file loaded at run time. @module */
import { readFile } from "node:fs/promises";
import { type Client, credentials, loadPackageDefinition, type ServiceClientConstructor } from "@grpc/grpc-js";
import { loadSync, type MethodDefinition } from "@grpc/proto-loader";
import { unary } from "./grpc-js.js";
import { filterOf, type Item, itemsField, type OpenPeer } from "./peer.js";

type Definition = Record<string, MethodDefinition<object, Record<string, Item[]>>>;

export const open: OpenPeer = async ({ socket, proto, reply, requestJson }) => {
  // The usual settings: all keys are present, and 64-bit numbers are Long, the default.
  const definition = loadSync(proto, { defaults: true });
  const { runtime } = loadPackageDefinition(definition) as unknown as {
    runtime: { v1: { RuntimeService: ServiceClientConstructor } };
  };
  const client: Client = new runtime.v1.RuntimeService(`unix:${socket}`, credentials.createInsecure(), {
    "grpc.max_receive_message_length": -1,
  });
  const methods = definition["runtime.v1.RuntimeService"] as unknown as Definition;
  const call = (name: string, request: object) => unary<Record<string, Item[]>>(client, methods[name], request);
  const bytes = await readFile(reply);
  const request = JSON.parse(await readFile(requestJson, "utf8"));
  return {
    version: () => call("Version", {}),
    list: async (method, n) => (await call(method, { filter: filterOf(n) }))[itemsField[method]] ?? [],
    decode: () => methods.ListContainers?.responseDeserialize(bytes).containers ?? [],
    encode: () => methods.CreateContainer?.requestSerialize(request) ?? "",
  };
};
