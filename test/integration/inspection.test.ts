/** `console.log`, debuggers and `JSON.stringify` show no secrets of the client or the specs in objects of this package. */
import { inspect } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { type ConnectOptions, CriClient } from "../../src/index.js";
import { FakeRuntime } from "../../src/testing/index.js";
import { createCertificateAuthority } from "../support/certificates.js";
import { startFake } from "./support.js";

const secret = "s3cret-canary";
const env = { TOKEN: secret };

/** The secret as a string and as bytes. */
const asShown = [
  secret,
  inspect(Buffer.from(secret)).slice("<Buffer ".length, -1),
  [...Buffer.from(secret)].join(", "),
];

function expectHidden(shown: Record<string, unknown>, secrets: readonly string[] = asShown): void {
  for (const [name, value] of Object.entries(shown)) {
    const outputs = [
      inspect(value, { depth: 20, showHidden: true, maxArrayLength: null }),
      String(JSON.stringify(value, withoutCycles())),
    ];
    for (const form of secrets) expect(outputs.join("\n").includes(form), `${name} shows ${form}`).toBe(false);
  }
}

/** Returns a replacer without cycles, because Node.js streams refer to themselves. */
function withoutCycles() {
  const known = new Set<unknown>();
  return (_key: string, value: unknown) => {
    if (typeof value !== "object" || value === null) return value;
    if (known.has(value)) return undefined;
    known.add(value);
    return value;
  };
}

async function startBusy(options: Omit<ConnectOptions, "endpoint"> = {}) {
  const { cri, runtime } = await startFake({}, { defaults: { metadata: { authorization: secret } }, ...options });
  const pod = await cri.pods.run({ name: "p" });
  const container = await pod.runContainer({ name: "c", image: "busybox:1", env });
  return { cri, runtime, pod, container };
}

test("handles, namespaces and the client show no secrets", async () => {
  const { cri, pod, container } = await startBusy();
  const { pods, containers, images, stats, raw } = cri;
  const borrowed = [cri.pods.get(pod.id), cri.containers.get(container.id)];
  expectHidden({
    cri,
    pods,
    containers,
    images,
    stats,
    raw,
    pod,
    container,
    borrowed,
    derived: cri.with({}),
  });
  expect(new TextDecoder().decode(container.config.envs[0]?.value)).toBe(secret);
});

test("an inspection shows no environment when it is printed, but its properties contain the environment", async () => {
  for (const flavor of ["containerd-2", "cri-o"] as const) {
    const { cri } = await startFake({ flavor });
    const pod = await cri.pods.run({ name: "p" });
    const container = await pod.runContainer({ name: "c", image: "busybox:1", env });
    const inspection = await container.inspect();
    expectHidden({ inspection, nested: { list: [inspection] } });
    for (const shown of [inspect(inspection), JSON.stringify(inspection)]) {
      expect(shown).toContain(container.id);
      expect(shown).toContain("TOKEN");
    }
    expect(inspection.env).toEqual(env);
    expect(inspection.info.info).toContain(secret);
  }
});

test("an inspection with malformed info has a status, and shows nothing of the info", async () => {
  const { runtime, container, pod } = await startBusy();
  const info = { info: `{"env":["TOKEN=${secret}"`, other: secret };
  runtime.respondNext("ContainerStatus", { status: await container.status(), info });
  const inspection = await container.inspect();
  expect(inspection.info).toEqual(info);
  expect(inspection).toMatchObject({ pid: undefined, env: undefined, mounts: undefined, config: undefined });
  expect(inspection.details).toBeUndefined();
  expectHidden({ inspection });
  runtime.respondNext("PodSandboxStatus", { status: await pod.status(), info });
  const ofPod = await pod.inspect();
  expect(ofPod).toMatchObject({
    pid: undefined,
    networkNamespace: undefined,
    config: undefined,
    runtimeSpec: undefined,
  });
  expect(ofPod.status.id).toBe(pod.id);
});

test("sessions, port forwarding and watches show no secrets", async () => {
  const { cri, pod, container } = await startBusy();
  const exec = await container.exec(["cat"], { stdin: true });
  const attach = await container.attach();
  const forward = pod.portForward(80);
  const view = cri.watch();
  const events = cri.events();
  await view.ready;
  expectHidden({ exec, attach, forward, view, events });
  await Promise.all([exec, attach, forward, view].map((object) => object[Symbol.asyncDispose]()));
});

test("no object shows the private key of a TLS connection", async () => {
  const authority = await createCertificateAuthority();
  const server = await authority.issue({ names: ["127.0.0.1"] });
  const client = await authority.issue();
  const runtime = await FakeRuntime.start({
    endpoint: "https://127.0.0.1:0",
    images: ["busybox:1"],
    tls: { ...server, clientCa: authority.cert },
  });
  onTestFinished(() => runtime.stop());
  const cri = await CriClient.connect({ endpoint: runtime.endpoint, tls: { ca: authority.cert, ...client } });
  onTestFinished(() => cri.close());
  const pod = await cri.pods.run({ name: "p" });
  const container = await pod.runContainer({ name: "c", image: "busybox:1" });
  const keys = [client.key, server.key].flatMap((key) => key.split("\n").filter((line) => /^[\w+/=]{40,}$/.test(line)));
  expect(keys).not.toEqual([]);
  expectHidden({ cri, raw: cri.raw, pod, container, runtime }, ["PRIVATE KEY", ...keys]);
});

test("recorded calls of a fake show no secrets", async () => {
  const { cri, runtime } = await startBusy();
  await cri.images.pull("busybox:2", { auth: { username: "u", password: secret } });
  const [pull] = runtime.callsOf("PullImage");
  expect(pull?.request.auth?.password).toBe(secret);
  expect(pull?.metadata.authorization).toBe(secret);
  const [create] = runtime.callsOf("CreateContainer");
  const { calls } = runtime;
  expectHidden({ calls, pull, auth: pull?.request.auth, metadata: pull?.metadata, create, runtime });
});
