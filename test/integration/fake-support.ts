import { Channel, ChannelCredentials } from "@grpc/grpc-js";
import { ClientError, createClient } from "nice-grpc";
import { expect, onTestFinished } from "vitest";
import {
  type ContainerState,
  ImageServiceDefinition,
  type PodSandboxConfig,
  RuntimeServiceDefinition,
} from "../../src/proto.js";
import { FakeRuntime, type FakeRuntimeOptions } from "../../src/testing/index.js";
import { parseEndpoint } from "../../src/transport/endpoint.js";

/** Returns raw stubs without retries and deadlines. They are closed after the test. */
export function connect(endpoint: string) {
  // A separate subchannel pool: otherwise all channels to one endpoint share a connection and its backoff.
  const { target } = parseEndpoint(endpoint, { allowInsecureTcp: true });
  const channel = new Channel(target, ChannelCredentials.createInsecure(), { "grpc.use_local_subchannel_pool": 1 });
  onTestFinished(() => channel.close());
  return {
    channel,
    runtime: createClient(RuntimeServiceDefinition, channel),
    images: createClient(ImageServiceDefinition, channel),
  };
}

/** Starts a fake runtime, with raw stubs for it. */
export async function start(options: FakeRuntimeOptions = {}) {
  const fake = await FakeRuntime.start({ images: ["busybox:1"], ...options });
  onTestFinished(() => fake.stop());
  return { fake, ...connect(fake.endpoint) };
}

export const podConfig = (name: string) =>
  ({
    metadata: { name, namespace: "default", uid: `uid-${name}`, attempt: 0 },
    labels: { app: name },
    logDirectory: `/var/log/pods/${name}`,
  }) satisfies Parameters<typeof PodSandboxConfig.fromPartial>[0];

export const containerConfig = (name: string, command: string[] = []) => ({
  metadata: { name, attempt: 0 },
  image: { image: "busybox:1", userSpecifiedImage: "busybox:1" },
  command,
  logPath: `${name}.log`,
  labels: { tier: name },
});

export type Connected = Awaited<ReturnType<typeof start>>;

export async function runPod({ runtime }: Pick<Connected, "runtime">, name = "web"): Promise<string> {
  return (await runtime.runPodSandbox({ config: podConfig(name) })).podSandboxId;
}

export async function createContainer(
  { runtime }: Pick<Connected, "runtime">,
  podSandboxId: string,
  name = "main",
  command: string[] = [],
): Promise<string> {
  const config = containerConfig(name, command);
  return (await runtime.createContainer({ podSandboxId, config, sandboxConfig: podConfig("web") })).containerId;
}

export async function startContainer(
  connected: Pick<Connected, "runtime">,
  podSandboxId: string,
  name = "main",
  command: string[] = [],
): Promise<string> {
  const containerId = await createContainer(connected, podSandboxId, name, command);
  await connected.runtime.startContainer({ containerId });
  return containerId;
}

/** Returns the error with which a call fails. */
export async function failureOf(call: Promise<unknown>): Promise<ClientError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ClientError);
  return error as ClientError;
}

export async function untilState({ runtime }: Pick<Connected, "runtime">, containerId: string, state: ContainerState) {
  for (;;) {
    const { status } = await runtime.containerStatus({ containerId });
    if (status?.state === state) return status;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
