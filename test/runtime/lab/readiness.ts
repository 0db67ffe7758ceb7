/**
 * Checks whether a runtime is ready.
 *
 * @module
 */
import { createChannel, createClient } from "nice-grpc";
import { RuntimeServiceDefinition, type VersionResponse } from "../../../src/proto.js";

/** Returns the name and version of a runtime. Rejects while it is not running or still starting. */
export async function fetchVersion(endpoint: string, timeoutMs = 2000): Promise<VersionResponse> {
  // A new channel for each call, because one that failed to connect backs off before the next attempt.
  const channel = createChannel(endpoint);
  try {
    const client = createClient(RuntimeServiceDefinition, channel);
    return await client.version({}, { signal: AbortSignal.timeout(timeoutMs) });
  } finally {
    channel.close();
  }
}
