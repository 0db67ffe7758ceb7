/** `CriClient` of this package, loaded from `dist/` like the published package. @module */
import { readFile } from "node:fs/promises";
import { CriClient } from "k8s-cri-client";
import { CreateContainerRequest } from "k8s-cri-client/proto";
import type { ListMethod } from "../task.js";
import type { Item, OpenPeer } from "./peer.js";

type Messages = typeof import("../ours-messages.js");

/** It contains a second copy of the messages, which must not count as memory of this package. */
let messages: Messages | undefined;

/** Returns a promise only for the first call. */
function withMessages<T>(use: (loaded: Messages) => T): T | Promise<T> {
  if (messages) return use(messages);
  return import("../ours-messages.js").then((loaded) => {
    messages = loaded;
    return use(loaded);
  });
}

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
    decode: () => withMessages((loaded) => loaded.decodeReply(bytes).containers),
    encode: () => withMessages((loaded) => loaded.encodeCreateContainer(request)),
  };
};
