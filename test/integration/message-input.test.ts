/** Wire messages instead of specs: pods.run, containers.create and the methods that call them. */
import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../../src/index.js";
import { ContainerConfig, PodSandboxConfig } from "../../src/proto.js";
import { rejection, startFake } from "./support.js";

const podConfig = (more: object = {}) =>
  PodSandboxConfig.fromPartial({ metadata: { name: "p", namespace: "n", uid: "u", attempt: 3 }, ...more });
const containerConfig = (more: object = {}) =>
  ContainerConfig.fromPartial({ metadata: { name: "c" }, image: { image: "busybox:1" }, ...more });

/** Removes the annotations that this package adds. */
const withoutOwn = (annotations: Record<string, string>) =>
  Object.fromEntries(Object.entries(annotations).filter(([key]) => !key.startsWith("k8s-cri-client/")));

describe("a pod message", () => {
  test("is sent as it is, apart from the annotations of this package", async () => {
    const { runtime, cri } = await startFake();
    const config = podConfig({
      logDirectory: "/var/log/p",
      annotations: { a: "b" },
      linux: { sysctls: { "net.core.somaxconn": "1024" } },
    });
    await using pod = await cri.pods.run(config, { runtimeHandler: "runc" });
    const [call] = runtime.callsOf("RunPodSandbox");
    expect(call?.request.runtimeHandler).toBe("runc");
    const sent = call?.request.config as PodSandboxConfig;
    expect({ ...sent, annotations: withoutOwn(sent.annotations) }).toEqual(config);
    expect(pod.config.metadata).toEqual(config.metadata);
    expect(config.annotations).toEqual({ a: "b" });
  });

  test("is adopted if another call created it from the same message", async () => {
    const { cri } = await startFake();
    const first = await cri.pods.run(podConfig());
    expect(await rejection(cri.pods.run(podConfig()))).toMatchObject({ code: "NAME_RESERVED", holderId: first.id });
    expect(await cri.pods.run(podConfig(), { adopt: true })).toMatchObject({ id: first.id, adopted: true });
  });

  test.each([
    [
      "a field that the message does not have",
      { logDir: "/x" },
      /^config\.logDir: unknown field; did you mean logDirectory\?/,
    ],
    ["a Kubernetes manifest", { apiVersion: "v1", kind: "Pod" }, /^config\.apiVersion: unknown field/],
    ["a value of the wrong type", { hostname: 5 }, /^config\.hostname: must be a string/],
    ["no name", { metadata: { name: "" } }, /^config\.metadata\.name: is required/],
    ["no metadata", { metadata: undefined }, /^config\.metadata\.name: is required/],
  ])("with %s is refused before any I/O", async (_, more, message) => {
    const { runtime, cri } = await startFake();
    const error = await rejection(cri.pods.run({ ...podConfig(), ...more } as never));
    expect(error).toBeInstanceOf(InvalidInputError);
    expect((error as InvalidInputError).details).toMatch(message);
    expect(runtime.calls).toEqual([]);
  });
});

describe("a container message", () => {
  test("is sent as it is, and its image is pulled by the pull policy", async () => {
    const { runtime, cri } = await startFake();
    await using pod = await cri.pods.run(podConfig());
    const config = containerConfig({ logPath: "c.log", envs: [{ key: "K", value: Buffer.from("8080") }] });
    await using container = await cri.runContainerInSandbox(pod, config);
    const sent = runtime.callsOf("CreateContainer")[0]?.request.config as ContainerConfig;
    expect({ ...sent, annotations: withoutOwn(sent.annotations) }).toEqual(config);
    expect(await container.state()).toBe("running");

    const absent = containerConfig({ metadata: { name: "d" }, image: { image: "absent:1" } });
    const error = await rejection(pod.createContainer(absent, { pullPolicy: "never" }));
    expect(error).toMatchObject({ code: "NOT_FOUND" });
    expect(String(error)).toContain("image absent:1 is not on the node");
  });

  test("without an image is refused before any I/O", async () => {
    const { runtime, cri } = await startFake();
    const error = await rejection(cri.containers.create("some-pod", containerConfig({ image: undefined })));
    expect(String(error)).toContain("config.image.image: is required");
    expect(runtime.calls).toEqual([]);
  });
});
