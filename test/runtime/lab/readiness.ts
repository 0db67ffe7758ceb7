/**
 * The question whether a runtime is ready.
 *
 * @module
 */
import { createChannel, createClient } from "nice-grpc";
import { RuntimeServiceDefinition } from "../../../src/proto.js";

/** Asks a runtime for its version; rejects while it is not there or still starting. */
export async function askVersion(endpoint: string, timeoutMs = 2000): Promise<string> {
  // A new channel for each question: one that has failed would wait before it tries again.
  const channel = createChannel(endpoint);
  try {
    const client = createClient(RuntimeServiceDefinition, channel);
    const reply = await client.version({}, { signal: AbortSignal.timeout(timeoutMs) });
    return reply.runtimeVersion;
  } finally {
    channel.close();
  }
}
