import type { StreamMemory } from "../streaming/open.js";
import type { Connection } from "../transport/connection.js";
import { Watcher } from "./watching/watcher.js";

/** The property of a client with its context. Registered, because the caller may mix ES modules and CommonJS. */
export const contextOfClient: unique symbol = Symbol.for("k8s-cri-client.context");

/** The state that the namespaces, handles, sessions and waits of one client share. */
export interface ClientContext {
  readonly connection: Connection;
  /** The watch that all waits, views and event streams share. */
  readonly watcher: Watcher;
  /** The wire protocols of the runtime's streaming server that earlier sessions found. */
  readonly streamMemory: StreamMemory;
}

/** Creates the context of a client. @throws InvalidInputError if the settings of the watch are invalid */
export function createContext(connection: Connection): ClientContext {
  return { connection, watcher: new Watcher(connection), streamMemory: {} };
}
