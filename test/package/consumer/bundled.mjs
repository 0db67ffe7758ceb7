// Also uses modules that the package loads on first use: sessions and YAML.
import { writeFile } from "node:fs/promises";
import { CriClient, loadCrictlConfig } from "k8s-cri-client";
import { FakeRuntime } from "k8s-cri-client/testing";

const runtime = await FakeRuntime.start({ images: ["busybox:1"] });
await writeFile("bundled.yaml", `runtime-endpoint: ${runtime.endpoint}\n`);
const { runtimeEndpoint } = await loadCrictlConfig("bundled.yaml");
const cri = await CriClient.connect({ endpoint: runtimeEndpoint });
const pod = await cri.pods.run({ name: "p" });
const container = await pod.runContainer({ name: "c", image: "busybox:1" });
const { exitCode } = await container.execOutput(["true"]);
const [{ createdAt }] = JSON.parse(JSON.stringify(await cri.pods.list()));
await cri.close();
await runtime.stop();
console.log(exitCode, typeof createdAt);
