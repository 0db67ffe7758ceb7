import { createClientFactory } from "nice-grpc";
import type { TlsOptions } from "../options.js";
import { RuntimeServiceDefinition } from "../proto.js";
import { createRuntimeChannel } from "./channel.js";
import type { Endpoint } from "./endpoint.js";

/** Version of CRI v1alpha2, whose messages are those of v1. Kubernetes removed v1alpha2 in 1.26. */
const alphaDefinition = {
  ...RuntimeServiceDefinition,
  fullName: "runtime.v1alpha2.RuntimeService",
  methods: { version: RuntimeServiceDefinition.methods.version },
} as const;

/** Returns the name and version of a runtime that speaks CRI v1alpha2, which was before v1; `undefined` for all others. */
export async function probeAlpha(
  endpoint: Endpoint,
  options: { tls: TlsOptions | undefined; timeoutMs: number; signal: AbortSignal | undefined },
): Promise<string | undefined> {
  const channel = createRuntimeChannel(endpoint, { tls: options.tls });
  try {
    const client = createClientFactory().create(alphaDefinition, channel);
    const limit = AbortSignal.timeout(options.timeoutMs);
    const signal = options.signal ? AbortSignal.any([options.signal, limit]) : limit;
    const { runtimeName, runtimeVersion } = await client.version({}, { signal });
    return `${runtimeName} ${runtimeVersion}`;
  } catch {
    return undefined;
  } finally {
    channel.close();
  }
}
