import type { EventMode, FlavorProfile } from "../flavors/profile.js";
import type { Clock } from "./clock.js";
import { ContainerStore } from "./containers.js";
import { EventHub } from "./events.js";
import type { IdSource } from "./ids.js";
import { type FakeImage, ImageStore } from "./images.js";
import { NameRegistry } from "./names.js";
import { PodStore } from "./pods.js";
import type { StreamingSessions } from "./sessions.js";

export interface RuntimeStateOptions {
  flavor: FlavorProfile;
  /** The clock, which outlives the state, so that time never runs backwards. */
  clock: Clock;
  events: EventMode;
  /** The source of ids, which outlives the state, so that a runtime that lost its state does not reuse ids. */
  ids: IdSource;
  images: readonly (string | FakeImage)[];
  sessions: StreamingSessions;
}

/** The state that a runtime loses in a restart without `keepState`. */
export class RuntimeState {
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly pods: PodStore;
  readonly containers: ContainerStore;
  readonly images = new ImageStore();
  readonly podNames: NameRegistry;
  readonly containerNames: NameRegistry;
  readonly events: EventHub;
  readonly sessions: StreamingSessions;
  /** The range of pod addresses that UpdateRuntimeConfig set. */
  podCidr = "";

  constructor({ flavor, clock, events, ids, images, sessions }: RuntimeStateOptions) {
    this.clock = clock;
    this.ids = ids;
    this.pods = new PodStore(flavor);
    this.containers = new ContainerStore(flavor);
    this.podNames = new NameRegistry("sandbox", flavor, this.pods);
    this.containerNames = new NameRegistry("container", flavor, this.containers);
    this.events = new EventHub(events);
    this.sessions = sessions;
    for (const image of images) this.images.add(typeof image === "string" ? { reference: image } : image);
  }
}
