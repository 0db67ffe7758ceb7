import type { StreamMemory } from "../streaming/open.js";
import type { Connection } from "../transport/connection.js";
import type { Containers } from "./containers.js";
import type { Images } from "./images.js";
import type { Pods } from "./pods.js";
import type { Stats } from "./stats.js";
import type { Watcher } from "./watching/watcher.js";

/** What the namespaces and handles of one client share. */
export interface Core {
  readonly connection: Connection;
  readonly pods: Pods;
  readonly containers: Containers;
  readonly images: Images;
  readonly stats: Stats;
  readonly watcher: Watcher;
  /** What the runtime's streaming servers turned out to speak. */
  readonly streamMemory: StreamMemory;
}
