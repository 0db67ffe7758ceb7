/**
 * The question whether a runtime is ready.
 *
 * @module
 */
import { createChannel, createClient } from "nice-grpc";
import { RuntimeServiceDefinition, type VersionResponse } from "../../../src/proto.js";

/** Asks a runtime for its name and version; rejects while it is not there or still starting. */
export async function fetchVersion(endpoint: string, timeoutMs = 2000): Promise<VersionResponse> {
  // A new channel for each question: one that has failed would wait before it tries again.
  const channel = createChannel(endpoint);
  try {
    const client = createClient(RuntimeServiceDefinition, channel);
    return await client.version({}, { signal: AbortSignal.timeout(timeoutMs) });
  } finally {
    channel.close();
  }
}
