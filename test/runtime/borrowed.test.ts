/** Pods created by another program. The raw stubs create them here, as crictl or a kubelet would. */
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

  async function foreignPod(logDirectory: string) {
    const config = PodSandboxConfig.fromPartial({
      metadata: { name: fixture.name(), namespace: fixture.namespace, uid: randomUUID(), attempt: 0 },
      hostname: "foreign-host",
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
        await cri.pods.get(podSandboxId).stop();
        await cri.pods.remove(podSandboxId);
      },
    };
  }

  test("a container gets the settings of its pod, and needs podConfig if the runtime does not report them", async () => {
    await using logs = await folder();
    await using foreign = await foreignPod(logs.path);
    const run = (options?: object) =>
      cri.pods.get(foreign.id).runContainer(fixture.containerSpec({ name: "guest" }), options);
    const isKnown = traits.reportsConfig;
    if (!isKnown) expect(await failureOf(run())).toMatchObject({ code: "INVALID_INPUT", field: "options.podConfig" });
    await using container = await run(isKnown ? {} : { podConfig: foreign.config });
    expect(container.podSandboxId).toBe(foreign.id);
    const { logPath, state } = await container.status();
    expect(state).toBe(ContainerState.CONTAINER_RUNNING);
    expect(await outputOf(container, "hostname; id -u; grep nameserver /etc/resolv.conf")).toBe(
      "foreign-host\n1000\nnameserver 192.0.2.1",
    );
    expect(logPath).toBe(`${logs.path}/guest.0.log`);
  });

  test("reads the settings of a pod from its annotation if another process created it with this package", async () => {
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
    const { status, info } = await cri.pods.get(pod.id).inspect();
    // CRI-O adds the labels that a kubelet would set.
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

  test("creates a container by pod id, and restarts it through a borrowed handle", async () => {
    await using logs = await folder();
    await using foreign = await foreignPod(logs.path);
    const podConfig = foreign.config;
    const spec = fixture.containerSpec({ command: sh("exit 6") });
    const created = await cri.createContainerInSandbox(foreign.id, spec, { podConfig });
    const borrowed = created.release();
    await borrowed.start();
    expect((await borrowed.wait()).exitCode).toBe(6);
    await using next = await borrowed.restart(traits.reportsConfig ? {} : { spec, podConfig });
    expect((await next.wait()).exitCode).toBe(6);
    expect((await next.status()).metadata?.attempt).toBe(1);
  });

  test("a container of another program can be inspected, run commands, and be stopped and restarted", async () => {
    await using logs = await folder();
    await using foreign = await foreignPod(logs.path);
    const config = ContainerConfig.fromPartial({
      metadata: { name: "theirs", attempt: 4 },
      image: { image: fixture.image, userSpecifiedImage: fixture.image },
      command: ["/bin/sleep", "infinity"],
      envs: [{ key: "WHOSE", value: Buffer.from("theirs") }],
      logPath: "theirs/4.log",
      linux: {},
    });
    await mkdir(join(logs.path, "theirs")); // CRI-O and Docker do not create it.
    const { containerId } = await cri.raw.runtime.createContainer({
      podSandboxId: foreign.id,
      sandboxConfig: foreign.config,
      config,
    });
    await cri.raw.runtime.startContainer({ containerId });
    const container = cri.containers.get(containerId);
    expect(await outputOf(container, "echo $WHOSE")).toBe("theirs");
    const unreported = traits.reportsConfig ? {} : { config, podConfig: foreign.config };
    await using next = await container.restart({ gracePeriodSeconds: 0, ...unreported });
    expect(await outputOf(next, "echo $WHOSE")).toBe("theirs");
    expect(await next.status()).toMatchObject({ metadata: { name: "theirs", attempt: 5 } });
    expect((await next.status()).logPath).toBe(`${logs.path}/theirs/5.log`);
  });

  test("a given podConfig takes precedence over the one that the runtime reports", async () => {
    await using logs = await folder();
    await using otherLogs = await folder();
    await using foreign = await foreignPod(logs.path);
    const { status } = await cri.pods.get(foreign.id).inspect();
    const podConfig = PodSandboxConfig.fromPartial({
      metadata: status.metadata,
      logDirectory: otherLogs.path,
      linux: {},
    });
    await using container = await cri.createContainerInSandbox(foreign.id, fixture.containerSpec({ name: "given" }), {
      podConfig,
    });
    expect((await container.status()).logPath).toBe(`${otherLogs.path}/given.0.log`);
  });
});
