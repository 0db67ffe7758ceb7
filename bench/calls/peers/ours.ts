/** `CriClient` of this package, loaded from `dist/` like the published package. @module */
import { readFile } from "node:fs/promises";
import { CriClient } from "k8s-cri-client";
import { CreateContainerRequest } from "k8s-cri-client/proto";
import { decodeReply, encodeCreateContainer } from "../ours-messages.js";
import type { ListMethod } from "../task.js";
import type { Item, OpenPeer } from "./peer.js";

export const open: OpenPeer = async ({ socket, reply, requestJson }) => {
  const cri = CriClient.lazy({ endpoint: socket });
  const lists: Record<ListMethod, (labels: Record<string, string>) => Promise<readonly Item[]>> = {
    ListContainers: (labels) => cri.containers.list({ labels }),
    ListPodSandbox: (labels) => cri.pods.list({ labels }),
    ListContainerStats: (labels) => cri.stats.containers({ labels }),
  };
  const bytes = await readFile(reply);
  const request = CreateContainerRequest.fromJSON(JSON.parse(await readFile(requestJson, "utf8")));
  return {
    version: () => cri.version(),
    list: (method, n) => lists[method]({ n: String(n) }),
    decode: () => decodeReply(bytes).containers,
    encode: () => encodeCreateContainer(request),
  };
};
