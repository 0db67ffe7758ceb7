/**
 * Calls the functions that the pages export. programs.ts accompanies their programs.
 *
 * @module
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import type { Container, CriClient, PodSandbox, PodSpec } from "k8s-cri-client";
import { FakeRuntime } from "k8s-cri-client/testing";
import { createCertificateAuthority } from "../../support/certificates.js";
import { printed, untilPrinted } from "./running.js";
import type { Scene } from "./scene.js";

// biome-ignore lint/suspicious/noExplicitAny: the functions are known only when the example is imported
type Call = (exported: any, scene: Scene) => Promise<void>;

/** By the name of the export. */
export const calls: Readonly<Record<string, Call>> = {
  exitCodeOf: withContainer(async (exitCodeOf, { container }) => {
    await container.stop({ gracePeriodSeconds: 5 });
    assert.equal(await exitCodeOf(container), (await container.status()).exitCode);
    await container.remove();
    assert.equal(await exitCodeOf(container), undefined);
  }),
  connectWithTls: async (connectWithTls, { folder }) => {
    const authority = await createCertificateAuthority();
    const server = await authority.issue({ names: ["node-1"] });
    const client = await authority.issue({ names: ["client"] });
    await writeFile(`${folder}/ca.pem`, authority.cert);
    await writeFile(`${folder}/client.pem`, client.cert);
    await writeFile(`${folder}/client-key.pem`, client.key);
    await using runtime = await FakeRuntime.start({
      endpoint: "https://127.0.0.1:0",
      tls: { cert: server.cert, key: server.key, clientCa: authority.cert },
    });
    const cri: CriClient = await connectWithTls(runtime.endpoint);
    assert.ok((await cri.version()).runtimeName);
    await cri.close();
  },
  runFiles: async (runFiles, { folder, image, cri }) => {
    const container = { metadata: { name: "main" }, image: { image }, command: ["sh", "-c", "exit 4"] };
    await writeFile(`${folder}/pod.yaml`, JSON.stringify({ metadata: { name: "web", namespace: "default" } }));
    await writeFile(`${folder}/container.yaml`, JSON.stringify(container));
    assert.equal(await runFiles("pod.yaml", "container.yaml"), 4);
    assert.deepEqual(await cri.pods.list(), []);
  },
  environmentOf: async (environmentOf) => {
    const info = { runtimeSpec: { process: { env: ["PORT=80"] } } };
    const dump = { status: { id: "c1", metadata: { name: "main" }, state: "CONTAINER_RUNNING" }, info };
    assert.deepEqual({ ...environmentOf(JSON.stringify(dump)) }, { PORT: "80" });
  },
  explain: async (explain, { cri }) => {
    await using pod = await cri.pods.run({ name: "taken", uid: "1" });
    const other = await cri.pods.run({ name: "taken", uid: "1", labels: { another: "one" } }).catch(explain);
    assert.equal(other, `taken by ${pod.id}`);
    const pull = await cri.images.pull("gone.example/app:1").catch(explain);
    assert.match(pull, /^gone\.example\/app:1: /);
    await assert.rejects(async () => explain(new TypeError("other")), TypeError);
  },
  logExits: withContainer(async (logExits, { container, cri }) => {
    const lines = await printed(async () => {
      await untilAborted(cri, logExits, async (output) => {
        await setTimeout(200); // the stream begins with the loop, and nothing shows when
        await container.stop({ gracePeriodSeconds: 0 });
        await output();
      });
    });
    assert.match(lines.join("\n"), new RegExp(`^${container.id} \\d+$`, "m"));
  }),
  untilRunning: withContainer((untilRunning, { cri, container }) => untilRunning(cri, container)),
  unpack: withContainer(async (unpack, { container, folder }) => {
    await archive(folder);
    await container.execSync(["mkdir", "-p", "/srv"]);
    await unpack(container);
    assert.equal(await container.readFile("/srv/site/index.html", { encoding: "utf8" }), "<h1>Hello</h1>\n");
  }),
  shell: withContainer((shell, { container }) => shell(container)),
  configure: withContainer(async (configure, { container, folder }) => {
    await writeFile(`${folder}/site.db`, "content");
    await configure(container);
    assert.equal(await container.readFile("/srv/site.db", { encoding: "utf8" }), "content");
  }),
  deploy: withContainer(async (deploy, { container, folder }) => {
    await mkdir(`${folder}/conf`);
    await writeFile(`${folder}/conf/port`, "80");
    await container.writeFile("/var/lib/site/index.html", "hello");
    await deploy(container);
    assert.equal(await container.readFile("/etc/site/port", { encoding: "utf8" }), "80");
    assert.equal(await readFile(`${folder}/backup/index.html`, "utf8"), "hello");
  }),
  move: withContainer(async (move, { container }) => {
    await container.writeFile("/var/lib/site/index.html", "hello");
    await container.execSync(["mkdir", "-p", "/srv"]);
    await move(container, container);
    assert.equal(await container.readFile("/srv/index.html", { encoding: "utf8" }), "hello");
  }),
  buildAndCopy: withContainer(async (buildAndCopy, { container, folder }) => {
    assert.deepEqual(await printed(async () => assert.equal(await buildAndCopy(container), 0)), ["Copied 1 entries."]);
    assert.equal(await readFile(`${folder}/artefacts/report.txt`, "utf8"), "passed\n");
  }),
  preload: async (preload, { cri }) => {
    const lines = await printed(() => preload(cri, ["registry.example/app:1", "gone.example/app:1"]));
    assert.match(lines.join("\n"), /^1 images are missing: /m);
    assert.ok(await cri.images.exists("registry.example/app:1"));
  },
  pullPrivate: async (pullPrivate, { cri }) => assert.ok(await pullPrivate(cri, "registry.example/app:1")),
  cleanUp: async (cleanUp, { cri, folder }) => {
    await cri.images.pull("registry.example/app:1");
    await cleanUp(cri, `${folder}/usage.json`);
    await cleanUp(cri, `${folder}/usage.json`);
    assert.ok(JSON.parse(await readFile(`${folder}/usage.json`, "utf8")));
  },
  printDiskUsage: withContainer((printDiskUsage, { cri }) => printDiskUsage(cri)),
  addVariable: async (addVariable, { folder }) => {
    const path = `${folder}/container.json`;
    await writeFile(path, JSON.stringify({ metadata: { name: "main" }, image: { image: "busybox:1.37" } }));
    await addVariable(path, "PORT", "8080");
    assert.deepEqual(JSON.parse(await readFile(path, "utf8")).envs, [{ key: "PORT", value: "8080" }]);
  },
  spec: async (spec: PodSpec, { cri }) => {
    await using pod = await cri.pods.run(spec);
    assert.deepEqual(pod.config.annotations["example.com/owner"], "team-a");
  },
  shopServer: async (shopServer, { cri, image }) => {
    await using pod = await cri.pods.run({ name: "web", namespace: "shop" });
    assert.equal(await shopServer(cri), undefined);
    const server = await pod.runContainer({ name: "server", image, command: ["sleep", "60"] });
    assert.equal((await shopServer(cri)).id, server.id);
  },
  stopAll: withContainer(async (stopAll, { cri, container }) => {
    await stopAll(cri, { app: "web" });
    assert.equal(await container.state(), "exited");
  }),
  nameOf: withContainer(async (nameOf, { cri, container }) => {
    assert.equal(await nameOf(cri, (await container.inspect()).pid), "server");
    assert.equal(await nameOf(cri, process.pid), undefined);
  }),
  summary: withContainer(async (summary, { container }) =>
    assert.match(await summary(container), /^process \d+, PATH=/),
  ),
  debug: withContainer(async (debug, { cri, pod, image }) => {
    await using tool = await debug(cri, pod.id, { name: "tool", image, command: ["sleep", "60"] });
    assert.equal(await tool.state(), "created");
  }),
  readLogs: withContainer((readLogs, { cri, pod, container }) => readLogs(cri, pod, container)),
  ship: withContainer(async (ship, { cri, container }) => {
    const positions: Record<string, string> = {};
    await untilAborted(cri, (_, signal) => ship(cri, positions, signal));
    assert.ok(positions[container.id]);
  }),
  containerOf: async (containerOf, { cri, image }) => {
    const labels = { "io.kubernetes.pod.namespace": "shop", "io.kubernetes.pod.name": "web-0" };
    await using pod = await cri.pods.run({ name: "web-0", namespace: "shop" });
    const spec = { name: "server", image, command: ["sleep", "60"] };
    const container = await pod.runContainer({
      ...spec,
      labels: { ...labels, "io.kubernetes.container.name": "server" },
    });
    assert.equal((await containerOf(cri, "shop", "web-0", "server")).id, container.id);
    assert.equal(await containerOf(cri, "shop", "web-1", "server"), undefined);
  },
  untilShutdown: withContainer(async (untilShutdown, { cri, container }) => {
    const work = async (client: CriClient) => {
      const exited = client.containers.get(container.id).wait();
      process.emit("SIGTERM", "SIGTERM");
      await exited;
    };
    await assert.rejects(untilShutdown(cri, work), /shutting down/);
  }),
};

/** Functions that are only compiled, with the reason. */
export const onlyCompiled: Readonly<Record<string, string>> = {
  connectFromContainer: "needs the root directory of a node at /host; test/unit/transport tests discovery below a root",
  collectGarbage: "removes the logs of this machine below /var/log/pods; the recipe for cleaning up is run instead",
  runPrivate:
    "uses the directories and cgroups of this machine; the guide runs the same function with other directories",
};

/** Functions that use directories of the container that are the machine's on the fake. test/runtime runs them on real runtimes. */
export const runOnLabOnly: readonly string[] = ["unpack", "configure", "deploy", "move", "buildAndCopy"];

/** Calls a function with a pod and a container, which are removed afterwards. */
function withContainer(
  // biome-ignore lint/suspicious/noExplicitAny: see Call
  call: (exported: any, scene: ContainerScene) => Promise<void>,
): Call {
  return async (exported, scene) => {
    const { cri, folder, image } = scene;
    await using pod = await scene.pod();
    await using container = await scene.container(pod);
    await call(exported, { cri, folder, image, pod, container });
  };
}

interface ContainerScene {
  readonly cri: CriClient;
  readonly folder: string;
  readonly image: string;
  readonly pod: PodSandbox;
  readonly container: Container & { remove(): Promise<void> };
}

/** Aborts a function that does not end by itself, once it has printed something after `cause`. It must then reject with the reason. */
async function untilAborted(
  cri: CriClient,
  endless: (cri: CriClient, signal: AbortSignal) => Promise<void>,
  cause: (output: () => Promise<void>) => Promise<void> = (output) => output(),
): Promise<void> {
  const controller = new AbortController();
  const output = untilPrinted();
  const ended = endless(cri.with({ signal: controller.signal }), controller.signal);
  await Promise.race([cause(() => output), ended.then(() => assert.fail("the function ended by itself"))]);
  controller.abort(new Error("the example was stopped"));
  await assert.rejects(ended, /the example was stopped/);
}

async function archive(folder: string): Promise<void> {
  await mkdir(`${folder}/site`);
  await writeFile(`${folder}/site/index.html`, "<h1>Hello</h1>\n");
  await promisify(execFile)("tar", ["-cf", "site.tar", "site"], { cwd: folder });
}
