/** `iterate` of this package. @module */
import { CriClient, type CriStream } from "k8s-cri-client";
import type { ListMethod } from "../task.js";
import type { Item, OpenPeer } from "./peer.js";

export const open: OpenPeer = async ({ socket }) => {
  const cri = CriClient.lazy({ endpoint: socket });
  const streams: Record<ListMethod, (labels: Record<string, string>) => CriStream<Item>> = {
    ListContainers: (labels) => cri.containers.iterate({ labels }),
    ListPodSandbox: (labels) => cri.pods.iterate({ labels }),
    ListContainerStats: (labels) => cri.stats.iterateContainers({ labels }),
  };
  const read = async (method: ListMethod, n: number, receive: (item: Item) => void) => {
    for await (const item of streams[method]({ n: String(n) })) receive(item);
  };
  return {
    list: async (method, n) => {
      const items: Item[] = [];
      await read(method, n, (item) => items.push(item));
      return items;
    },
    scan: (method, n) => read(method, n, () => {}),
  };
};
