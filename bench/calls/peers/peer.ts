import type { ListMethod } from "../task.js";

/** The paths that a peer needs. */
export interface Place {
  /** The runtime's socket. */
  socket: string;
  /** A socket that echoes its input. */
  echo: string;
  /** Files with a reply of ListContainers, as protobuf and as JSON. */
  reply: string;
  replyJson: string;
  /** A file with a request of CreateContainer in protobuf's JSON. */
  requestJson: string;
  /** The schema, and modules generated from it. */
  proto: string;
  protobufjs: string;
  protobufEs: string;
}

/** An item of a list: the fields that all libraries share. Their 64-bit numbers have different types. */
export interface Item {
  id?: string;
  createdAt?: unknown;
  labels?: Record<string, string>;
  attributes?: Item | null | undefined;
  cpu?: { timestamp?: unknown } | null | undefined;
}

/** The operations that a library offers. A peer lives as long as its process. */
export interface Peer {
  version?(): Promise<unknown>;
  /** Resolves with bytes if the peer does not decode. */
  list?(method: ListMethod, n: number): Promise<readonly Item[] | Uint8Array>;
  /** Reads a list and keeps nothing. Without it, {@link list} does. */
  scan?(method: ListMethod, n: number): Promise<void>;
  decode?(): readonly Item[] | Promise<readonly Item[]>;
  encode?(): Uint8Array | string | Promise<Uint8Array | string>;
}

export type OpenPeer = (place: Place) => Promise<Peer>;

/** The filter for the reply with n items. */
export const filterOf = (n: number) => ({ labelSelector: { n: String(n) } });

/** The field of each reply that holds the items. */
export const itemsField = {
  ListContainers: "containers",
  ListPodSandbox: "items",
  ListContainerStats: "stats",
} as const;
