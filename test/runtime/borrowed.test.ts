/** Pods that another program made, here by the raw stubs as crictl or a kubelet would. */
import { randomUUID } from "node:crypto";
import { ContainerState } from "k8s-cri-client";
import { expect, test } from "vitest";
import { folder } from "./helpers/folder.js";
import { ask } from "./helpers/inside.js";
import { journeys, sh } from "./helpers/journeys.js";

journeys("borrowed", (bench) => {
  const { cri } = bench;

  async function strangersPod(logDirectory: string) {
    const { podSandboxId } = await cri.raw.runtime.runPodSandbox({
      config: {
        metadata: { name: bench.name(), namespace: bench.namespace, uid: randomUUID(), attempt: 0 },
        hostname: "of-a-stranger",
        logDirectory,
        labels: { of: "another program" },
        dnsConfig: { servers: ["192.0.2.1"] },
        linux: { securityContext: { runAsUser: { value: 1000 } } },
      },
    });
    return {
      id: podSandboxId,
      [Symbol.asyncDispose]: async () => {
        await cri.pods.stop(podSandboxId);
        await cri.pods.remove(podSandboxId);
      },
    };
  }

  test("a container in it: with the pod's configuration as the runtime tells it, logs where the pod wants them", async () => {
    await using logs = await folder();
    await using stranger = await strangersPod(logs.path);
    await using container = await cri.pods.get(stranger.id).runContainer(bench.containerSpec({ name: "guest" }));
    expect(container.podSandboxId).toBe(stranger.id);
    const { logPath, state } = await container.status();
    expect(state).toBe(ContainerState.CONTAINER_RUNNING);
    expect(await ask(container, "hostname; id -u; grep nameserver /etc/resolv.conf")).toBe(
      "of-a-stranger\n1000\nnameserver 192.0.2.1",
    );
    // CRI-O does not tell the log directory of a pod that it did not make for us.
    if (bench.runtime.lab) expect(logPath).toBe(`${logs.path}/guest.0.log`);
  });

  test("by id alone, and restarted through a borrowed handle", async () => {
    await using logs = await folder();
    await using stranger = await strangersPod(logs.path);
    const created = await cri.createContainerInSandbox(stranger.id, bench.containerSpec({ command: sh("exit 6") }));
    const borrowed = created.release();
    await borrowed.start();
    expect((await borrowed.wait()).exitCode).toBe(6);
    await using next = await borrowed.restart();
    expect((await next.wait()).exitCode).toBe(6);
    expect((await next.status()).metadata?.attempt).toBe(1);
  });

  test("a container that a stranger made: status, exec, stop, restart", async () => {
    await using logs = await folder();
    await using stranger = await strangersPod(logs.path);
    const { status } = await cri.raw.runtime.podSandboxStatus({ podSandboxId: stranger.id });
    const { containerId } = await cri.raw.runtime.createContainer({
      podSandboxId: stranger.id,
      sandboxConfig: { metadata: status!.metadata, logDirectory: logs.path, linux: {} },
      config: {
        metadata: { name: "theirs", attempt: 4 },
        image: { image: bench.image, userSpecifiedImage: bench.image },
        command: ["/bin/sleep", "infinity"],
        envs: [{ key: "WHOSE", value: Buffer.from("theirs") }],
        logPath: "theirs/4.log",
        linux: {},
      },
    });
    await cri.raw.runtime.startContainer({ containerId });
    const container = cri.containers.get(containerId);
    expect(await ask(container, "echo $WHOSE")).toBe("theirs");
    await using next = await container.restart({ gracePeriodSeconds: 0 });
    expect(await ask(next, "echo $WHOSE")).toBe("theirs");
    expect(await next.status()).toMatchObject({ metadata: { name: "theirs", attempt: 5 } });
    if (bench.runtime.lab) expect((await next.status()).logPath).toBe(`${logs.path}/theirs/5.log`);
  });

  test("podConfig given by hand wins over what the runtime tells", async () => {
    await using logs = await folder();
    await using elsewhere = await folder();
    await using stranger = await strangersPod(logs.path);
    const { status } = await cri.pods.inspect(stranger.id);
    const { PodSandboxConfig } = await import("k8s-cri-client/proto");
    const podConfig = PodSandboxConfig.fromPartial({
      metadata: status.metadata,
      logDirectory: elsewhere.path,
      linux: {},
    });
    await using container = await cri.createContainerInSandbox(stranger.id, bench.containerSpec({ name: "given" }), {
      podConfig,
    });
    expect((await container.status()).logPath).toBe(`${elsewhere.path}/given.0.log`);
  });
});
