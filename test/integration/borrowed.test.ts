/** A container in a pod of another process gets the settings of that pod. If they are unknown, its creation is refused. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { CreateContainerOptions, CriClient } from "../../src/index.js";
import { PodSandboxConfig } from "../../src/proto.js";
import type { FakeRuntimeOptions } from "../../src/testing/index.js";
import { rejection, startFake } from "./support.js";

const spec = { name: "guest", image: "busybox:1" };

/** Creates a folder for logs, which is removed after the test. */
async function logFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "cri-logs-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Creates a pod as another program would, with containers that run as user 1000. */
async function foreignPod(options: FakeRuntimeOptions) {
  const { runtime, cri } = await startFake(options);
  const config = PodSandboxConfig.fromPartial({
    metadata: { name: "p", namespace: "default", uid: "u" },
    logDirectory: await logFolder(),
    linux: { securityContext: { runAsUser: { value: 1000 } } },
  });
  const { podSandboxId } = await cri.raw.runtime.runPodSandbox({ config });
  return { runtime, cri, id: podSandboxId, config };
}

function userOf(runtime: Awaited<ReturnType<typeof startFake>>["runtime"]): (string | undefined)[] {
  return runtime
    .callsOf("CreateContainer")
    .map(({ request }) => request.config?.linux?.securityContext?.runAsUser?.value.toString());
}

test("a container on containerd runs as the user of the pod, whose configuration containerd reports", async () => {
  const { runtime, cri, id } = await foreignPod({ flavor: "containerd-2" });
  await cri.createContainerInSandbox(id, spec);
  expect(userOf(runtime)).toEqual(["1000"]);
});

describe.each(["cri-o", "cri-dockerd"] as const)(
  "on %s, which does not report the configuration of a pod,",
  (flavor) => {
    const attempts: Record<string, (cri: CriClient, id: string, options?: CreateContainerOptions) => Promise<unknown>> =
      {
        create: (cri, id, options) => cri.containers.create(id, spec, options),
        run: (cri, id, options) => cri.pods.get(id).runContainer(spec, options),
      };

    test.each(Object.entries(attempts))("%s is refused, and names the remedy", async (_, attempt) => {
      const { runtime, cri, id } = await foreignPod({ flavor });
      const error = await rejection(attempt(cri, id));
      expect(error).toMatchObject({ code: "INVALID_INPUT", field: "options.podConfig" });
      expect(String(error)).toMatch(/pass the PodSandboxConfig .* or "unknown"/);
      expect(runtime.callsOf("CreateContainer")).toEqual([]);
    });

    test.each(Object.entries(attempts))("%s uses the configuration from the caller", async (_, attempt) => {
      const { runtime, cri, id, config } = await foreignPod({ flavor });
      await attempt(cri, id, { podConfig: config });
      expect(userOf(runtime)).toEqual(["1000"]);
    });

    test('podConfig: "unknown" creates a container without the settings of the pod', async () => {
      const { runtime, cri, id } = await foreignPod({ flavor });
      await cri.createContainerInSandbox(id, spec, { podConfig: "unknown" });
      expect(userOf(runtime)).toEqual([undefined]);
      expect(runtime.callsOf("CreateContainer")[0]?.request.sandboxConfig?.metadata).toMatchObject({ uid: "u" });
    });

    test("another process reads the settings of a pod of this package from its annotation", async () => {
      const { runtime, cri } = await startFake({ flavor });
      const pod = await cri.pods.run({ name: "p", logDirectory: await logFolder(), security: { runAsUser: 1000 } });
      await cri.createContainerInSandbox(pod.release().id, spec);
      expect(userOf(runtime)).toEqual(["1000"]);
      expect(runtime.callsOf("CreateContainer")[0]?.request.sandboxConfig).toEqual(pod.config);
    });

    test("restarting through a borrowed handle needs the configuration or the spec of the container", async () => {
      const { runtime, cri } = await startFake({ flavor });
      const pod = await cri.pods.run({ name: "p", security: { runAsUser: 1000 } });
      const { id } = await pod.runContainer({ ...spec, env: { WHOSE: "ours" } });
      const error = await rejection(cri.containers.get(id).restart({ gracePeriodSeconds: 0 }));
      expect(error).toMatchObject({ code: "INVALID_INPUT", field: "options.spec" });
      expect(runtime.callsOf("StopContainer")).toEqual([]);
      const next = await cri.containers.get(id).restart({ gracePeriodSeconds: 0, spec: { ...spec, env: { A: "b" } } });
      expect(next.config.envs.map(({ key }) => key)).toEqual(["A"]);
      const auth = { username: "u", password: "p" };
      await next.restart({ gracePeriodSeconds: 0, spec, pullPolicy: "always", auth });
      expect(runtime.callsOf("PullImage").at(-1)?.request.auth).toMatchObject(auth);
      expect(next.config.metadata).toMatchObject({ name: "guest", attempt: 1 });
      expect(userOf(runtime)).toEqual(["1000", "1000", "1000"]);
    });
  },
);

describe("CreateContainer without a pod configuration, which crashes containerd,", () => {
  const invalidConfigs = [
    null,
    {},
    { metadata: null },
    "unkown",
    5,
    [],
  ] as unknown as CreateContainerOptions["podConfig"][];

  test.each(invalidConfigs)("is never sent: podConfig %j is refused before any I/O", async (podConfig) => {
    const { runtime, cri, id } = await foreignPod({});
    runtime.clearCalls();
    const container = cri.containers.get("c");
    for (const refused of [
      cri.containers.create(id, spec, { podConfig }),
      cri.containers.run(id, spec, { podConfig }),
      container.restart({ podConfig }),
    ]) {
      expect(await rejection(refused)).toMatchObject({ code: "INVALID_INPUT", field: "options.podConfig" });
    }
    expect(runtime.calls).toEqual([]);
  });

  test("is never sent by a creation, a run or a restart", async () => {
    const { runtime, cri, id } = await foreignPod({});
    const container = await cri.runContainerInSandbox(id, spec);
    await cri.containers.get(container.id).restart({ gracePeriodSeconds: 0 });
    await cri.createContainerInSandbox(id, { ...spec, name: "other" }, { podConfig: "unknown" });
    const sent = runtime.callsOf("CreateContainer").map(({ request }) => request.sandboxConfig?.metadata?.uid);
    expect(sent).toEqual(["u", "u", "u"]);
  });
});
