/** Tests the lab with the generated client only, so that a failure is never one of the package. */
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { ChannelCredentials, createChannel, createClient } from "nice-grpc";
import { afterAll, describe, expect, test } from "vitest";
import { ImageServiceDefinition, RuntimeServiceDefinition } from "../../src/proto.js";
import { pidsOf } from "./helpers/host-process.js";
import { describeRuntimes } from "./support.js";

describeRuntimes((runtime) => {
  const channel = createChannel(runtime.endpoint);
  const cri = createClient(RuntimeServiceDefinition, channel);
  const images = createClient(ImageServiceDefinition, channel);
  afterAll(() => channel.close());

  const metadata = (name: string) => ({ name, namespace: "lab", uid: `${name}-${process.pid}`, attempt: 0 });

  async function startPod(name: string, runtimeHandler = "") {
    const config = { metadata: metadata(name), linux: {} };
    const { podSandboxId } = await cri.runPodSandbox({ config, runtimeHandler });
    await images.pullImage({ image: { image: runtime.image } });
    const containerId = await createContainer(podSandboxId, name, "main");
    await cri.startContainer({ containerId });
    return { podSandboxId, containerId };
  }

  async function createContainer(podSandboxId: string, podName: string, name: string) {
    const { containerId } = await cri.createContainer({
      podSandboxId,
      sandboxConfig: { metadata: metadata(podName), linux: {} },
      config: {
        metadata: { name, attempt: 0 },
        image: { image: runtime.image, userSpecifiedImage: runtime.image },
        command: ["/bin/sh", "-c", "mkdir /tmp/www; echo hello > /tmp/www/greeting; exec httpd -f -p 8080 -h /tmp/www"],
        linux: {},
      },
    });
    return containerId;
  }

  /** Waits for the file that the container's program writes when it starts, and prints it. */
  const readGreeting = ["/bin/sh", "-c", "until [ -s /tmp/www/greeting ]; do sleep 0.05; done; cat /tmp/www/greeting"];

  async function removePod(podSandboxId: string) {
    await cri.stopPodSandbox({ podSandboxId });
    await cri.removePodSandbox({ podSandboxId });
  }

  test("reports the version that the setup provided", async () => {
    const { runtimeVersion, runtimeName } = await cri.version({});
    expect(runtimeName).not.toBe("");
    expect(runtimeVersion).toContain(runtime.version);
  });

  test("runs a pod with an IP address, and a command in its container", async () => {
    const { podSandboxId, containerId } = await startPod("journey");
    const { stdout, exitCode } = await cri.execSync({ containerId, cmd: readGreeting });
    expect(exitCode).toBe(0);
    expect(Buffer.from(stdout).toString()).toBe("hello\n");

    const { status } = await cri.podSandboxStatus({ podSandboxId });
    expect(status?.network?.ip).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    const reply = await fetch(`http://${status?.network?.ip}:8080/greeting`);
    expect(await reply.text()).toBe("hello\n");
    await removePod(podSandboxId);
  });

  describe.skipIf(runtime.lab === undefined)("in the lab", () => {
    const lab = runtime.lab!;

    test.each(lab?.handlers ?? [])("runs a pod with the runtime handler %s", async (handler) => {
      const { podSandboxId, containerId } = await startPod(`by-${handler}`, handler);
      const { exitCode } = await cri.execSync({ containerId, cmd: ["/bin/true"] });
      expect(exitCode).toBe(0);
      await removePod(podSandboxId);
    });

    test("starts a container although the shim of its pod takes 3 s to answer, as on a busy machine", async () => {
      const { podSandboxId } = await startPod("busy");
      const [shim] = pidsOf(podSandboxId) as [number];
      process.kill(shim, "SIGSTOP");
      const thaw = setTimeout(() => process.kill(shim, "SIGCONT"), 3000);
      try {
        const second = await createContainer(podSandboxId, "busy", "second");
        await cri.startContainer({ containerId: second });
      } finally {
        clearTimeout(thaw);
        process.kill(shim, "SIGCONT");
      }
      await removePod(podSandboxId);
    });

    test("limits memory through control groups", async () => {
      const { podSandboxId, containerId } = await startPod("limited");
      await cri.updateContainerResources({ containerId, linux: { memoryLimitInBytes: 64 * 2 ** 20 } as never });
      const { stats } = await cri.containerStats({ containerId });
      expect(Number(stats?.memory?.workingSetBytes?.value)).toBeGreaterThan(0);
      await removePod(podSandboxId);
    });

    test("pulls every image, and the private one only with the password", async () => {
      for (const image of [lab.images.busybox2, lab.images.demo, lab.images.pause]) {
        await images.pullImage({ image: { image } });
      }
      const image = { image: lab.images.privateBusybox };
      await expect(images.pullImage({ image })).rejects.toThrow(/401|authorization|credentials/i);
      const { serverAddress, username, password } = lab.privateRegistry;
      await images.pullImage({ image, auth: { username, password, serverAddress } });
      const { image: demo } = await images.imageStatus({ image: { image: lab.images.demo } });
      expect(demo?.repoDigests[0]).toContain(lab.images.digests[lab.images.demo]);
      expect(demo?.uid?.value.toString()).toBe("1000");
    });

    // Only some runtimes of the lab listen on a TCP port. The others register no test, rather than a skipped one.
    test.each(lab?.tcp ? [lab.tcp] : [])("serves TCP clients with a trusted certificate only", async (tcp) => {
      const fetchVersion = async (certificate: string, key: string) => {
        const [authority, ...own] = await Promise.all(
          [tcp.authorityFile, key, certificate].map((file) => readFile(file)),
        );
        const secured = createChannel(tcp.address, ChannelCredentials.createSsl(authority!, own[0]!, own[1]!));
        try {
          return await createClient(RuntimeServiceDefinition, secured).version({});
        } finally {
          secured.close();
        }
      };
      const trusted = fetchVersion(tcp.clientCertificateFile, tcp.clientKeyFile);
      if (tcp.servesCri) expect((await trusted).runtimeVersion).toContain(runtime.version);
      else await expect(trusted).rejects.toThrow(/UNIMPLEMENTED.*unknown service/);
      await expect(fetchVersion(tcp.untrustedCertificateFile, tcp.untrustedKeyFile)).rejects.toThrow(/UNAVAILABLE/);
    });

    test.each(["restart", "kill"] as const)("containers keep running through a %s of the runtime", async (action) => {
      const { podSandboxId, containerId } = await startPod(`through-${action}`);
      if (action === "restart") await runtime.restart();
      else {
        await runtime.kill();
        await expect(accepts(runtime.endpoint)).resolves.toBe(false);
        await runtime.start();
      }
      await expect(accepts(runtime.endpoint)).resolves.toBe(true);
      const reconnected = createChannel(runtime.endpoint);
      const { stdout } = await createClient(RuntimeServiceDefinition, reconnected).execSync({
        containerId,
        cmd: readGreeting,
      });
      expect(Buffer.from(stdout).toString()).toBe("hello\n");
      await createClient(RuntimeServiceDefinition, reconnected).stopPodSandbox({ podSandboxId });
      await createClient(RuntimeServiceDefinition, reconnected).removePodSandbox({ podSandboxId });
      reconnected.close();
    });
  });
});

function accepts(endpoint: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(endpoint.replace("unix://", ""));
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
