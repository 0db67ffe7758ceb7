/** Connect with the code that protobuf-es generates. @module */
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { type DescMessage, type DescService, fromBinary, fromJson, toBinary } from "@bufbuild/protobuf";
import { type CallOptions, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { filterOf, type Item, itemsField, type OpenPeer } from "./peer.js";

interface Generated {
  RuntimeService: DescService;
  ListContainersResponseSchema: DescMessage;
  CreateContainerRequestSchema: DescMessage;
}

type Message = Record<string, Item[] | undefined>;
type Client = Record<string, (request: object, options?: CallOptions) => Promise<Message>>;

export const open: OpenPeer = async ({ socket, protobufEs, reply, requestJson }) => {
  const generated = (await import(protobufEs)) as Generated;
  const transport = createGrpcTransport({
    baseUrl: "http://localhost",
    nodeOptions: { createConnection: () => connect(socket) },
  });
  const client = createClient(generated.RuntimeService, transport) as unknown as Client;
  const methods = {
    ListContainers: client.listContainers,
    ListPodSandbox: client.listPodSandbox,
    ListContainerStats: client.listContainerStats,
  };
  const bytes = await readFile(reply);
  const { ListContainersResponseSchema: response, CreateContainerRequestSchema: request } = generated;
  const message = fromJson(request, JSON.parse(await readFile(requestJson, "utf8")));
  return {
    version: () => client.version?.({}) ?? Promise.reject(new Error("There is no Version.")),
    list: async (method, n) => (await methods[method]?.({ filter: filterOf(n) }))?.[itemsField[method]] ?? [],
    decode: () => (fromBinary(response, bytes) as unknown as Message).containers ?? [],
    encode: () => toBinary(request, message),
  };
};
