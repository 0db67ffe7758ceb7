/** nice-grpc with the code that ts-proto generates, and nothing around it. @module */
import { readFile } from "node:fs/promises";
import { createChannel, createClient } from "nice-grpc";
import {
  CreateContainerRequest,
  ListContainersResponse,
  RuntimeServiceDefinition,
} from "../../../generated/runtime/v1/api.js";
import type { ListMethod } from "../task.js";
import { filterOf, type Item, type OpenPeer } from "./peer.js";

export const open: OpenPeer = async ({ socket, reply, requestJson }) => {
  const channel = createChannel(`unix://${socket}`, undefined, { "grpc.max_receive_message_length": -1 });
  const client = createClient(RuntimeServiceDefinition, channel);
  const lists: Record<ListMethod, (n: number) => Promise<readonly Item[]>> = {
    ListContainers: async (n) => (await client.listContainers({ filter: filterOf(n) })).containers,
    ListPodSandbox: async (n) => (await client.listPodSandbox({ filter: filterOf(n) })).items,
    ListContainerStats: async (n) => (await client.listContainerStats({ filter: filterOf(n) })).stats,
  };
  const bytes = await readFile(reply);
  const request = CreateContainerRequest.fromJSON(JSON.parse(await readFile(requestJson, "utf8")));
  return {
    version: () => client.version({}),
    list: (method, n) => lists[method](n),
    decode: () => ListContainersResponse.decode(bytes).containers,
    encode: () => CreateContainerRequest.encode(request).finish(),
  };
};
