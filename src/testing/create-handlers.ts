import type { Handlers } from "./handlers.js";
import type { Lifecycle } from "./lifecycle.js";
import { type Checkpoints, checkpointService } from "./services/checkpoint-service.js";
import { containerService } from "./services/container-service.js";
import { execService } from "./services/exec-service.js";
import { imageService, type RegistryOptions } from "./services/image-service.js";
import { metricsService } from "./services/metrics-service.js";
import { podService } from "./services/pod-service.js";
import { statsService } from "./services/stats-service.js";
import { type SelfDescription, statusService } from "./services/status-service.js";
import { streamingLists } from "./services/streaming-lists.js";

export interface ServiceOptions {
  self: SelfDescription;
  registry: RegistryOptions;
  checkpoints: Checkpoints;
  streamBatchSize: number;
}

/** Creates the handlers of all 43 RPCs. */
export function createHandlers(lifecycle: Lifecycle, options: ServiceOptions): Handlers {
  const { state, flavor } = lifecycle;
  const unary = {
    ...statusService(state, flavor, options.self),
    ...podService(lifecycle, options.self.runtimeHandlers),
    ...containerService(lifecycle),
    ...execService(lifecycle),
    ...imageService(state, flavor, options.registry),
    ...statsService(lifecycle),
    ...metricsService(lifecycle),
    ...checkpointService(lifecycle, options.checkpoints),
  };
  return {
    ...unary,
    ...streamingLists(unary, options.streamBatchSize),
    GetContainerEvents: (_request, { signal }) => state.events.subscribe(signal),
  };
}
