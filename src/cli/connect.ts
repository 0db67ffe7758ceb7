import { CriClient, loadCrictlConfig } from "../index.js";
import type { GlobalOptions } from "./command.js";

/** Connects to the endpoint of the options, of the configuration file, or the one that the client finds. */
export async function connect(globals: GlobalOptions, signal: AbortSignal): Promise<CriClient> {
  const { config, endpoint, imageEndpoint, timeout } = globals;
  const file = config === undefined ? undefined : await loadCrictlConfig(config);
  const runtimeEndpoint = endpoint ?? file?.runtimeEndpoint;
  return CriClient.connect({
    ...(runtimeEndpoint !== undefined && { endpoint: runtimeEndpoint }),
    imageEndpoint: imageEndpoint ?? file?.imageEndpoint,
    defaults: { timeoutMs: timeout },
    signal,
  });
}
