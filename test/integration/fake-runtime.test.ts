import { type Channel, ClientError, createChannel, createClient, Metadata, Status } from "nice-grpc";
import { afterEach, describe, expect, test } from "vitest";
import {
  ContainerState,
  ImageServiceDefinition,
  type PodSandboxConfig,
  PodSandboxState,
  RuntimeServiceDefinition,
} from "../../src/proto.js";
import { FakeRuntime, type FakeRuntimeOptions } from "../../src/testing/index.js";

const cleanUp: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

function connect(endpoint: string) {
  const channel: Channel = createChannel(endpoint);
  cleanUp.push(() => channel.close());
  return {
    channel,
    runtime: createClient(RuntimeServiceDefinition, channel),
    images: createClient(ImageServiceDefinition, channel),
  };
}

async function start(options: FakeRuntimeOptions = {}) {
  const fake = await FakeRuntime.start({ images: ["busybox:1"], ...options });
  cleanUp.push(() => fake.stop());
  return { fake, ...connect(fake.endpoint) };
}

const podConfig = (name: string) =>
  ({
    metadata: { name, namespace: "default", uid: `uid-${name}`, attempt: 0 },
    labels: { app: name },
    logDirectory: `/var/log/pods/${name}`,
  }) satisfies Parameters<typeof PodSandboxConfig.fromPartial>[0];

const containerConfig = (name: string, command: string[] = []) => ({
  metadata: { name, attempt: 0 },
  image: { image: "busybox:1", userSpecifiedImage: "busybox:1" },
  command,
  logPath: `${name}.log`,
  labels: { tier: name },
});

type Connected = Awaited<ReturnType<typeof start>>;

async function runPod({ runtime }: Pick<Connected, "runtime">, name = "web"): Promise<string> {
  return (await runtime.runPodSandbox({ config: podConfig(name) })).podSandboxId;
}

async function createContainer(
  { runtime }: Pick<Connected, "runtime">,
  podSandboxId: string,
  name = "main",
  command: string[] = [],
): Promise<string> {
  const config = containerConfig(name, command);
  return (await runtime.createContainer({ podSandboxId, config, sandboxConfig: podConfig("web") })).containerId;
}

async function startContainer(
  connected: Pick<Connected, "runtime">,
  podSandboxId: string,
  name = "main",
  command: string[] = [],
): Promise<string> {
  const containerId = await createContainer(connected, podSandboxId, name, command);
  await connected.runtime.startContainer({ containerId });
  return containerId;
}

async function failureOf(call: Promise<unknown>): Promise<ClientError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ClientError);
  return error as ClientError;
}

async function untilState({ runtime }: Pick<Connected, "runtime">, containerId: string, state: ContainerState) {
  for (;;) {
    const { status } = await runtime.containerStatus({ containerId });
    if (status?.state === state) return status;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe("a pod and its containers", () => {
  test("go from creation to removal", async () => {
    const connected = await start();
    const { runtime, fake } = connected;
    const pod = await runPod(connected);
    expect(pod).toMatch(/^[0-9a-f]{64}$/);
    const container = await startContainer(connected, pod);

    const { status } = await runtime.containerStatus({ containerId: container.slice(0, 9) });
    expect(status?.state).toBe(ContainerState.CONTAINER_RUNNING);
    expect(status?.logPath).toBe("/var/log/pods/web/main.log");
    expect(status?.startedAt.greaterThan(status.createdAt)).toBe(true);
    expect(Math.abs(Number(status?.createdAt) / 1e6 - Date.now())).toBeLessThan(5_000);

    await runtime.stopContainer({ containerId: container, timeout: 5 });
    const stopped = (await runtime.containerStatus({ containerId: container })).status;
    expect(stopped).toMatchObject({ state: ContainerState.CONTAINER_EXITED, exitCode: 143, reason: "Error" });
    expect(stopped?.finishedAt.greaterThan(stopped.startedAt)).toBe(true);

    await runtime.removePodSandbox({ podSandboxId: pod });
    expect(fake.pods).toEqual([]);
    expect(fake.containers).toEqual([]);
    expect((await failureOf(runtime.containerStatus({ containerId: container }))).code).toBe(Status.NOT_FOUND);
  });

  test("StopPodSandbox kills, and the sandbox is not ready", async () => {
    const connected = await start();
    const pod = await runPod(connected);
    const container = await startContainer(connected, pod);
    await connected.runtime.stopPodSandbox({ podSandboxId: pod });
    const { status } = await connected.runtime.containerStatus({ containerId: container });
    expect(status).toMatchObject({ state: ContainerState.CONTAINER_EXITED, exitCode: 137 });
    const { items } = await connected.runtime.listPodSandbox({
      filter: { state: { state: PodSandboxState.SANDBOX_NOTREADY } },
    });
    expect(items.map(({ id }) => id)).toEqual([pod]);
  });

  test.each([
    [["true"], 0, "Completed"],
    [["false"], 1, "Error"],
    [["sh", "-c", "sleep 0.02; exit 7"], 7, "Error"],
    [["sleep", "0.02"], 0, "Completed"],
  ])("%j ends with %i", async (command, exitCode, reason) => {
    const connected = await start();
    const container = await startContainer(connected, await runPod(connected), "main", command);
    const status = await untilState(connected, container, ContainerState.CONTAINER_EXITED);
    expect(status).toMatchObject({ exitCode, reason });
  });
});

describe("calls and faults", () => {
  test("a call is recorded with metadata, deadline and outcome", async () => {
    const { fake, runtime } = await start();
    const before = Date.now();
    const metadata = Metadata({ "x-trace": "abc", "grpc-timeout": "5000m" });
    await runtime.version({ version: "v1" }, { metadata });
    const [call] = fake.callsOf("Version");
    expect(call).toMatchObject({ rpc: "Version", request: { version: "v1" }, outcome: "OK", grpcTimeout: "5000m" });
    expect(call?.metadata["x-trace"]).toBe("abc");
    expect(call?.deadline?.getTime()).toBeGreaterThanOrEqual(before + 5_000);
  });

  test("a failure comes once", async () => {
    const { fake, runtime } = await start();
    fake.failNext("Version", { code: "UNAVAILABLE", message: "not yet — später" });
    const error = await failureOf(runtime.version({}));
    expect(error).toMatchObject({ code: Status.UNAVAILABLE, details: "not yet — später" });
    await runtime.version({});
    expect(fake.calls.map((call) => call.outcome)).toEqual(["UNAVAILABLE", "OK"]);
  });

  test("a dropped connection is UNAVAILABLE, before and after the effect", async () => {
    const { fake, runtime } = await start();
    fake.dropNext("RunPodSandbox", "beforeEffect");
    expect((await failureOf(runtime.runPodSandbox({ config: podConfig("a") }))).code).toBe(Status.UNAVAILABLE);
    expect(fake.pods).toHaveLength(0);
    fake.dropNext("RunPodSandbox", "afterEffect");
    expect((await failureOf(runtime.runPodSandbox({ config: podConfig("a") }))).code).toBe(Status.UNAVAILABLE);
    expect(fake.pods).toHaveLength(1);
    expect(fake.calls.map((call) => call.outcome)).toEqual(["DROPPED", "DROPPED"]);
  });
});
