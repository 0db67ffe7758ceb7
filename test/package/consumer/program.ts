// A typical program of a user. tarball.test.ts compiles and runs it as an ES module and as CommonJS.
import { CriClient, CriError, type ExecResult, NameReservedError, type PodSpec } from "k8s-cri-client";
import { formatUsage } from "k8s-cri-client/prometheus";
import { ContainerConfig, Long } from "k8s-cri-client/proto";
import { FakeRuntime } from "k8s-cri-client/testing";

async function main(): Promise<void> {
  await using runtime = await FakeRuntime.start();
  await using cri = await CriClient.connect({ endpoint: runtime.endpoint });
  const spec: PodSpec = { name: "demo", uid: "1", labels: { app: "demo" } };
  await using pod = await cri.pods.run(spec);
  const image = "docker.io/library/busybox:1.37";
  await using container = await cri.runContainerInSandbox(pod, { name: "main", image, command: ["sleep", "60"] });
  const result: ExecResult = await container.execSync(["echo", "hello"]);
  if (result.stdout !== "hello\n") throw new Error(`unexpected output ${result.stdout}`);
  const config: ContainerConfig = ContainerConfig.decode(ContainerConfig.encode(container.config).finish());
  if (config.metadata?.name !== "main") throw new Error("encoding and decoding changed the configuration");
  for await (const snapshot of cri.stats.watch({ intervalMs: 10 })) {
    const cores: number | undefined = snapshot.containers[0]?.cpu?.cores;
    if (!formatUsage(snapshot).includes('container="main"')) throw new Error("the container has no metrics");
    if (cores !== undefined) break;
  }
  const status = await container.status();
  if (!Long.isLong(status.startedAt)) throw new Error("startedAt is no Long");
  try {
    await cri.pods.run({ ...spec, labels: { app: "another" } });
    throw new Error("a second pod got a name that is reserved");
  } catch (error) {
    if (!(error instanceof NameReservedError)) throw error;
    const held: string | undefined = error.holderId;
    if (held !== pod.id || !CriError.is(error, "NAME_RESERVED")) throw error;
  }
}

main().then(
  () => console.log("done"),
  (error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  },
);
