import type { ListMethod } from "../task.js";

/** Where everything is that a peer needs. */
export interface Place {
  /** The runtime's socket. */
  socket: string;
  /** A socket that sends back what it is sent. */
  echo: string;
  /** A reply of ListContainers, as protobuf and as JSON. */
  reply: string;
  replyJson: string;
  /** A request of CreateContainer in protobuf's JSON. */
  requestJson: string;
  /** The schema, and the code that was generated from it for the measurement. */
  proto: string;
  protobufjs: string;
  protobufEs: string;
}

/** An item of a list, as all of the libraries have it; the 64-bit numbers are of different types. */
export interface Item {
  id?: string;
  createdAt?: unknown;
  labels?: Record<string, string>;
  attributes?: Item | null | undefined;
  cpu?: { timestamp?: unknown } | null | undefined;
}

/** A way to talk to a runtime, or a part of one. It ends with its process. */
export interface Peer {
  version?(): Promise<unknown>;
  /** Bytes, where nothing is decoded. */
  list?(method: ListMethod, n: number): Promise<readonly Item[] | Uint8Array>;
  decode?(): readonly Item[];
  encode?(): Uint8Array | string;
}

export type OpenPeer = (place: Place) => Promise<Peer>;

/** Lists select by this label. */
export const filterOf = (n: number) => ({ labelSelector: { n: String(n) } });

/** The field of a reply with the items. */
export const itemsField = {
  ListContainers: "containers",
  ListPodSandbox: "items",
  ListContainerStats: "stats",
} as const;
