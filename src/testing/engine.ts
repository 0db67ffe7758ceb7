import { InvalidInputError } from "../errors.js";
import type { Container, Image, PodSandbox } from "../proto.js";
import type { ContainerBackend } from "./backend/backend.js";
import { ScriptedBackend } from "./backend/scripted-backend.js";
import { createHandlers, type ServiceOptions } from "./create-handlers.js";
import type { FakeRuntimeOptions } from "./fake-options.js";
import type { FlavorProfile } from "./flavors/profile.js";
import type { Handlers } from "./handlers.js";
import { Lifecycle } from "./lifecycle.js";
import { sessionHandlers } from "./services/session-handlers.js";
import { type Clock, RealClock } from "./state/clock.js";
import { IdSource } from "./state/ids.js";
import { type FakeImage, toImage } from "./state/images.js";
import { toPodSandbox } from "./state/pods.js";
import { formatReference, parseReference } from "./state/reference.js";
import { RuntimeState } from "./state/runtime-state.js";
import { StreamingSessions } from "./state/sessions.js";
import { VirtualClock } from "./state/virtual-clock.js";
import { StreamingServer } from "./streaming/streaming-server.js";

/** The runtime behind the server: state, backend and handlers. A restart keeps or discards the state. */
export class RuntimeEngine {
  readonly clock: Clock;
  readonly #options: FakeRuntimeOptions;
  readonly #backend: ContainerBackend;
  readonly #services: ServiceOptions;
  readonly #ids: IdSource;
  readonly #sessions: StreamingSessions;
  readonly #streaming: StreamingServer;
  #lifecycle: Lifecycle;
  #handlers: Handlers;

  constructor(
    readonly flavor: FlavorProfile,
    options: FakeRuntimeOptions,
  ) {
    this.#options = options;
    this.clock = clockOf(options.time ?? "real");
    this.#ids = new IdSource(options.seed);
    this.#streaming = new StreamingServer(
      { ...options.streaming, base: flavor.streamingBase, tls: options.tls, dataAfterEnd: flavor.dataAfterEnd },
      sessionHandlers(() => this.#lifecycle),
    );
    this.#sessions = new StreamingSessions(this.#ids, this.clock, () => this.#streaming.listen());
    const { run, exec, portForward } = options;
    this.#backend = options.backend ?? new ScriptedBackend({ run, exec, portForward });
    this.#services = {
      self: {
        version: {
          version: "0.1.0",
          runtimeName: flavor.runtimeName,
          runtimeVersion: flavor.runtimeVersion,
          runtimeApiVersion: "v1",
          ...options.version,
        },
        runtimeHandlers: options.runtimeHandlers ?? ["runc"],
        userNamespaces: options.userNamespaces ?? false,
      },
      registry: { rules: options.registry ?? {}, known: byReference(options) },
      checkpoints: { criu: options.criu ?? true, containers: new Map(), pods: new Map() },
      streamBatchSize: checkBatchSize(options.streamBatchSize ?? 100),
    };
    this.#lifecycle = this.#freshLifecycle();
    this.#handlers = createHandlers(this.#lifecycle, this.#services);
  }

  get handlers(): Handlers {
    return this.#handlers;
  }

  get state(): RuntimeState {
    return this.#lifecycle.state;
  }

  get pods(): PodSandbox[] {
    return this.state.pods.all.map(toPodSandbox);
  }

  get containers(): Container[] {
    return this.state.containers.all.map((container) => this.state.containers.toContainer(container));
  }

  get images(): Image[] {
    return this.state.images.all.map(toImage);
  }

  /** Breaks the streaming sessions. */
  disconnect(): Promise<void> {
    return this.#streaming.close();
  }

  /** Applies the effects of a restart to the state and to running containers. */
  restart(keepState: boolean, containers: "running" | "lost" | "untracked"): void {
    this.#sessions.clear();
    if (!keepState) {
      this.#lifecycle.killAll();
      this.#lifecycle = this.#freshLifecycle();
      this.#handlers = createHandlers(this.#lifecycle, this.#services);
    } else if (containers === "lost") this.#lifecycle.loseProcesses();
    else if (containers === "untracked") this.#lifecycle.untrackProcesses();
  }

  async stop(): Promise<void> {
    await this.disconnect();
    this.#lifecycle.killAll();
    await this.#backend.dispose?.();
  }

  #freshLifecycle(): Lifecycle {
    const state = new RuntimeState({
      flavor: this.flavor,
      clock: this.clock,
      events: this.#options.events ?? this.flavor.events,
      ids: this.#ids,
      images: this.#options.images ?? [],
      sessions: this.#sessions,
    });
    const { strict = true, logDirectory } = this.#options;
    return new Lifecycle(state, this.#backend, this.flavor, strict, logDirectory);
  }
}

function byReference({ images = [], registryImages = [] }: FakeRuntimeOptions): Map<string, FakeImage> {
  const known = new Map<string, FakeImage>();
  for (const image of [...registryImages, ...images]) {
    if (typeof image === "string") continue;
    const reference = parseReference(image.reference);
    if (!reference) {
      throw new InvalidInputError({ field: "images", message: "expected an image reference", value: image.reference });
    }
    known.set(formatReference(reference), image);
  }
  return known;
}

function clockOf(time: "real" | "virtual"): Clock {
  if (time === "real") return new RealClock();
  if (time === "virtual") return new VirtualClock();
  throw new InvalidInputError({ field: "time", message: 'expected "real" or "virtual"', value: time });
}

function checkBatchSize(size: number): number {
  if (Number.isInteger(size) && size > 0) return size;
  throw new InvalidInputError({ field: "streamBatchSize", message: "expected a positive integer", value: size });
}
