/** Pods that another program made, here by the raw stubs as crictl or a kubelet would. */
import { randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { ContainerState } from "k8s-cri-client";
import { ContainerConfig, PodSandboxConfig } from "k8s-cri-client/proto";
import { expect, test } from "vitest";
import { podConfigFromStatus } from "../../src/specs/pod-from-status.js";
import { failureOf } from "./helpers/expectations.js";
import { folder } from "./helpers/folder.js";
import { outputOf } from "./helpers/in-container.js";
import { journeys, sh } from "./helpers/journeys.js";

journeys("borrowed", (fixture) => {
  const { cri, traits } = fixture;

  async function strangersPod(logDirectory: string) {
    const config = PodSandboxConfig.fromPartial({
      metadata: { name: fixture.name(), namespace: fixture.namespace, uid: randomUUID(), attempt: 0 },
      hostname: "of-a-stranger",
      logDirectory,
      labels: { of: "another program" },
      dnsConfig: { servers: ["192.0.2.1"] },
      linux: { securityContext: { runAsUser: { value: 1000 } } },
    });
    const { podSandboxId } = await cri.raw.runtime.runPodSandbox({ config });
    return {
      id: podSandboxId,
      config,
      [Symbol.asyncDispose]: async () => {
        await cri.pods.stop(podSandboxId);
        await cri.pods.remove(podSandboxId);
      },
    };
  }

  test("a container in it has the pod's settings, or is refused where the runtime does not report them", async () => {
    await using logs = await folder();
    await using stranger = await strangersPod(logs.path);
    const run = (options?: object) =>
      cri.pods.get(stranger.id).runContainer(fixture.containerSpec({ name: "guest" }), options);
    const isKnown = traits.reportsConfig;
    if (!isKnown) expect(await failureOf(run())).toMatchObject({ code: "INVALID_INPUT", field: "options.podConfig" });
    await using container = await run(isKnown ? {} : { podConfig: stranger.config });
    expect(container.podSandboxId).toBe(stranger.id);
    const { logPath, state } = await container.status();
    expect(state).toBe(ContainerState.CONTAINER_RUNNING);
    expect(await outputOf(container, "hostname; id -u; grep nameserver /etc/resolv.conf")).toBe(
      "of-a-stranger\n1000\nnameserver 192.0.2.1",
    );
    expect(logPath).toBe(`${logs.path}/guest.0.log`);
  });

  test("a pod that another process created with this package has its settings in an annotation", async () => {
    await using logs = await folder();
    await using pod = await fixture.pod({
      logDirectory: logs.path,
      security: { runAsUser: 1000, runAsGroup: 55, supplementalGroups: [66], readOnlyRootFilesystem: true },
      dns: { servers: ["192.0.2.1"], searches: ["svc"], options: ["ndots:5"] },
      ports: [{ containerPort: 80 }],
      sysctls: { "net.ipv4.ip_unprivileged_port_start": "0" },
      shareProcessNamespace: true,
      resources: { limits: { memory: "64Mi" } },
      labels: { of: "this package" },
    });
    const { status, info } = await cri.pods.inspect(pod.id);
    // CRI-O adds labels of a kubelet's.
    expect(podConfigFromStatus({ ...status, labels: pod.config.labels })).toEqual({ config: pod.config });
    expect(status.labels).toMatchObject(pod.config.labels);
    if (traits.reportsConfig) {
      expect(podConfigFromStatus(status, info)).toEqual({ config: pod.config });
    }
    await using container = await cri.createContainerInSandbox(pod.id, fixture.containerSpec({ name: "guest" }));
    await container.start();
    expect(await outputOf(container, "id -u; id -g; grep nameserver /etc/resolv.conf")).toBe(
      "1000\n55\nnameserver 192.0.2.1",
    );
  });

  test("by id alone, and restarted through a borrowed handle", async () => {
    await using logs = await folder();
    await using stranger = await strangersPod(logs.path);
    const podConfig = stranger.config;
    const spec = fixture.containerSpec({ command: sh("exit 6") });
    const created = await cri.createContainerInSandbox(stranger.id, spec, { podConfig });
    const borrowed = created.release();
    await borrowed.start();
    expect((await borrowed.wait()).exitCode).toBe(6);
    await using next = await borrowed.restart(traits.reportsConfig ? {} : { spec, podConfig });
    expect((await next.wait()).exitCode).toBe(6);
    expect((await next.status()).metadata?.attempt).toBe(1);
  });

  test("a container that a stranger made: status, exec, stop, restart", async () => {
    await using logs = await folder();
    await using stranger = await strangersPod(logs.path);
    const config = ContainerConfig.fromPartial({
      metadata: { name: "theirs", attempt: 4 },
      image: { image: fixture.image, userSpecifiedImage: fixture.image },
      command: ["/bin/sleep", "infinity"],
      envs: [{ key: "WHOSE", value: Buffer.from("theirs") }],
      logPath: "theirs/4.log",
      linux: {},
    });
    await mkdir(join(logs.path, "theirs")); // CRI-O and Docker do not
    const { containerId } = await cri.raw.runtime.createContainer({
      podSandboxId: stranger.id,
      sandboxConfig: stranger.config,
      config,
    });
    await cri.raw.runtime.startContainer({ containerId });
    const container = cri.containers.get(containerId);
    expect(await outputOf(container, "echo $WHOSE")).toBe("theirs");
    const unreported = traits.reportsConfig ? {} : { config, podConfig: stranger.config };
    await using next = await container.restart({ gracePeriodSeconds: 0, ...unreported });
    expect(await outputOf(next, "echo $WHOSE")).toBe("theirs");
    expect(await next.status()).toMatchObject({ metadata: { name: "theirs", attempt: 5 } });
    expect((await next.status()).logPath).toBe(`${logs.path}/theirs/5.log`);
  });

  test("podConfig given by hand wins over what the runtime tells", async () => {
    await using logs = await folder();
    await using elsewhere = await folder();
    await using stranger = await strangersPod(logs.path);
    const { status } = await cri.pods.inspect(stranger.id);
    const podConfig = PodSandboxConfig.fromPartial({
      metadata: status.metadata,
      logDirectory: elsewhere.path,
      linux: {},
    });
    await using container = await cri.createContainerInSandbox(stranger.id, fixture.containerSpec({ name: "given" }), {
      podConfig,
    });
    expect((await container.status()).logPath).toBe(`${elsewhere.path}/given.0.log`);
  });
});
