import { expect, test } from "vitest";
import { messageFromGoJson, messageFromJson, messageToJson, redact } from "../../src/index.js";
import { Container, ContainerConfig, ContainerStatus, ContainerStatusResponse } from "../../src/proto.js";
import { startFake } from "./support.js";

test("JSON.stringify writes 64-bit numbers of messages that the program creates as decimal strings", () => {
  const status = ContainerStatus.fromPartial({ createdAt: "1700000000123456789" });
  expect(JSON.parse(JSON.stringify(status))).toMatchObject({ createdAt: "1700000000123456789", startedAt: "0" });
});

test("JSON.stringify writes what the client returns in protobuf's JSON format, with fields at their default", async () => {
  const { cri } = await startFake();
  const pod = await cri.pods.run({ name: "p", namespace: "shop", cgroupParent: "/p" });
  const container = await pod.createContainer({ name: "c", image: "busybox:1" });
  const events = cri.events();
  await events.ready;
  const json = async (returned: Promise<unknown>) => JSON.parse(JSON.stringify(await returned));
  const digits = expect.stringMatching(/^\d+$/);
  const listedPod = { state: "SANDBOX_READY", createdAt: digits, metadata: { namespace: "shop", attempt: 0 } };
  const listedContainer = { state: "CONTAINER_CREATED", createdAt: digits };
  expect(await json(cri.pods.list())).toMatchObject([listedPod]);
  expect(await json(pod.status())).toMatchObject({
    ...listedPod,
    linux: { namespaces: { options: { pid: "CONTAINER" } } },
  });
  expect(await json(cri.containers.list())).toMatchObject([listedContainer]);
  expect(await json(pod.containers())).toMatchObject([listedContainer]);
  expect(await json(container.status())).toMatchObject({ ...listedContainer, startedAt: "0" });
  await container.start();
  const next = events[Symbol.asyncIterator]().next();
  expect(await json(next)).toMatchObject({ value: { container: { state: "CONTAINER_RUNNING", createdAt: digits } } });
  await events.close();
  const image = { size: digits, pinned: false };
  expect(await json(cri.images.list())).toMatchObject(expect.arrayContaining([expect.objectContaining(image)]));
  expect(await json(cri.images.get("busybox:1"))).toMatchObject(image);
  expect(await json(cri.images.inspect("busybox:1"))).toMatchObject({ image });
  expect(await json(cri.images.fsInfo())).toMatchObject({ imageFilesystems: [{ timestamp: digits }] });
  expect(await json(container.stats())).toMatchObject({ cpu: { timestamp: digits } });
  expect(await json(cri.stats.containers())).toMatchObject([{ cpu: { timestamp: digits } }]);
  expect(await json(cri.stats.pods())).toMatchObject([{ linux: { cpu: { timestamp: digits } } }]);
  expect(await json(cri.runtimeConfig())).toMatchObject({ linux: { cgroupDriver: expect.stringMatching(/^[A-Z]/) } });
});

test("the view of cri.watch has entries for JSON.stringify", async () => {
  const { cri } = await startFake();
  await cri.pods.run({ name: "p" });
  const view = cri.watch();
  await view.ready;
  expect(JSON.parse(JSON.stringify([...view.pods.values()]))).toMatchObject([{ state: "SANDBOX_READY" }]);
  await view.close();
});

test("JSON text of a list from JSON.stringify can be read back", async () => {
  const { cri } = await startFake();
  const pod = await cri.pods.run({ name: "p" });
  await pod.createContainer({ name: "c", image: "busybox:1" });
  const [container] = await cri.containers.list();
  expect(messageFromJson(Container, JSON.stringify(container))).toEqual(container);
});

test("redact hides the environment inside the verbose info of inspect()", async () => {
  const { cri } = await startFake();
  const pod = await cri.pods.run({ name: "p" });
  const container = await pod.createContainer({ name: "c", image: "busybox:1", env: { TOKEN: "hunter2" } });
  const inspection = await container.inspect();
  expect(inspection.info.info).toContain("hunter2");
  const redacted = redact(inspection);
  expect(JSON.stringify(redacted)).not.toContain("hunter2");
  expect(redacted.info.info).toContain("TOKEN");
  expect(messageToJson(ContainerStatus, redacted.status)).toMatchObject({ id: container.id });
  expect(ContainerStatusResponse.decode(ContainerStatusResponse.encode(redacted).finish()).status).toEqual(
    inspection.status,
  );
});

test("messageFromGoJson reads the configuration in the verbose info of inspect()", async () => {
  const { cri } = await startFake();
  const pod = await cri.pods.run({ name: "p" });
  const container = await pod.createContainer({ name: "c", image: "busybox:1", env: { MODE: "prod" } });
  const { info } = await container.inspect();
  expect(messageFromGoJson(ContainerConfig, JSON.parse(info.info ?? "").config)).toEqual(container.config);
});
