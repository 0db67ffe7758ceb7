import { expect, test } from "vitest";
import { messageFromGoJson, messageFromJson, messageToJson, redact } from "../../src/index.js";
import { Container, ContainerConfig, ContainerStatus, ContainerStatusResponse } from "../../src/proto.js";
import { startFake } from "./support.js";

test("JSON.stringify writes 64-bit numbers of replies and of own messages as decimal strings", async () => {
  const { cri } = await startFake();
  await cri.pods.run({ name: "p" });
  const [listed] = await cri.pods.list();
  expect(JSON.parse(JSON.stringify(await cri.pods.list()))[0].createdAt).toBe(listed?.createdAt.toString());
  const status = ContainerStatus.fromPartial({ createdAt: "1700000000123456789" });
  expect(JSON.parse(JSON.stringify(status))).toMatchObject({ createdAt: "1700000000123456789", startedAt: "0" });
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
  expect(JSON.stringify(inspection)).toContain("hunter2");
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
