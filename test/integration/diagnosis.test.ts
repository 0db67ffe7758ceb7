/** `diagnose` against FakeRuntime with what can be wrong with a node. */
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { CriClient, type DiagnoseOptions, type Diagnosis, diagnose, InvalidInputError } from "../../src/index.js";
import { StatusResponse } from "../../src/proto.js";
import { startAlphaServer } from "../support/alpha-server.js";
import { createCertificateAuthority } from "../support/certificates.js";
import { rejection, startFake } from "./support.js";

async function temporaryFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "diagnosis-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** Returns the root directory of a node with these files. */
async function nodeWith(files: Record<string, string>): Promise<string> {
  const root = await temporaryFolder();
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  return root;
}

const only = ({ findings }: Diagnosis, check: string) => findings.filter((finding) => finding.check === check);
const statuses = (diagnosis: Diagnosis, check: string) => only(diagnosis, check).map(({ status }) => status);

const status = (conditions: object[], info: Record<string, string> = {}) =>
  StatusResponse.fromPartial({ status: { conditions }, info });
const ready = { type: "RuntimeReady", status: true };
const networkReady = { type: "NetworkReady", status: true };

describe("a healthy runtime", () => {
  test.each(["containerd-1.6", "containerd-1.7", "containerd-2", "cri-o", "cri-dockerd"] as const)(
    "%s passes every check, and nothing is changed",
    async (flavor) => {
      const { runtime } = await startFake({ flavor });
      const root = await nodeWith({});
      const diagnosis = await diagnose({ endpoint: runtime.endpoint, root });
      // Whether systemd runs is a fact of the test machine.
      const wrong = diagnosis.findings.filter((one) => one.status === "failure" && one.check !== "cgroups");
      expect(wrong).toEqual([]);
      expect(new Set(diagnosis.findings.map(({ check }) => check)).size).toBe(15);
      expect(statuses(diagnosis, "server")).toEqual(["ok"]);
      expect(JSON.parse(JSON.stringify(diagnosis))).toEqual(diagnosis);
      expect([runtime.pods, runtime.containers]).toEqual([[], []]);
      expect(runtime.callsOf("PullImage")).toEqual([]);
    },
  );

  test("reports findings in order while it runs, and the optional features that are missing", async () => {
    const { runtime } = await startFake({ flavor: "containerd-1.7" });
    const reported: unknown[] = [];
    const diagnosis = await diagnose({ endpoint: runtime.endpoint, onFinding: (one) => reported.push(one) });
    expect(reported).toEqual(diagnosis.findings);
    const [capabilities] = only(diagnosis, "capabilities");
    expect(capabilities?.details).toEqual(
      expect.arrayContaining([expect.stringMatching(/no reliable pod events/), expect.stringMatching(/RuntimeConfig/)]),
    );
    expect(only(diagnosis, "runtime")[0]).toMatchObject({
      found: expect.stringMatching(/^containerd 1\.7.* is ready$/),
    });
  });

  test("connects to the streaming server if a pod runs, without a session", async () => {
    const { runtime, cri } = await startFake();
    await cri.pods.run({ name: "web" });
    const diagnosis = await diagnose({ endpoint: runtime.endpoint });
    expect(only(diagnosis, "streaming")).toMatchObject([
      { status: "ok", found: expect.stringMatching(/connect to 127\.0\.0\.1:\d+$/) },
    ]);
    runtime.respondNext("PortForward", { url: "http://198.51.100.7:80/token/secret-token" });
    const elsewhere = await diagnose({ endpoint: runtime.endpoint });
    expect(only(elsewhere, "streaming")).toMatchObject([
      {
        status: "failure",
        found: expect.stringMatching(/198\.51\.100\.7/),
        remedy: expect.stringMatching(/streamUrl/),
      },
    ]);
    const closed = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => closed.once("listening", resolve));
    const { port } = closed.address() as { port: number };
    await new Promise((resolve) => closed.close(resolve));
    runtime.respondNext("PortForward", { url: `http://127.0.0.1:${port}/token/secret-token` });
    const refused = await diagnose({ endpoint: runtime.endpoint });
    expect(only(refused, "streaming")).toMatchObject([
      { status: "failure", found: expect.stringMatching(/ECONNREFUSED/) },
    ]);
    expect(JSON.stringify([elsewhere, refused])).not.toContain("secret-token");
  });
});

describe("the endpoint", () => {
  test("names where it was found, and what was tried", async () => {
    const { runtime } = await startFake();
    const { findings } = await diagnose({ env: { CONTAINER_RUNTIME_ENDPOINT: runtime.endpoint } });
    expect(findings.find(({ check }) => check === "endpoint")).toMatchObject({
      status: "ok",
      found: `${runtime.endpoint} from CONTAINER_RUNTIME_ENDPOINT`,
    });
    const config = join(await nodeWith({ "crictl.yaml": `runtime-endpoint: ${runtime.endpoint}\n` }), "crictl.yaml");
    const fromFile = await diagnose({ env: {}, configPath: config });
    expect(only(fromFile, "endpoint")[0]).toMatchObject({ found: `${runtime.endpoint} from ${config}` });
  });

  test("without a runtime, the finding lists what was tried, and every other check is skipped", async () => {
    const diagnosis = await diagnose({ env: {}, root: await nodeWith({}) });
    expect(diagnosis.ok).toBe(false);
    expect(only(diagnosis, "endpoint")).toMatchObject([
      { status: "failure", remedy: expect.stringMatching(/CONTAINER_RUNTIME_ENDPOINT/) },
    ]);
    expect(only(diagnosis, "endpoint")[0]?.details.join("\n")).toMatch(/containerd\.sock: no such socket/);
    const others = diagnosis.findings.filter(({ check }) => check !== "endpoint" && check !== "program");
    expect(new Set(others.map(({ status }) => status))).toEqual(new Set(["skipped"]));
  });

  test.each<[string, DiagnoseOptions, RegExp]>([
    ["an option", { endpoint: "run/containerd.sock" }, /absolute path/],
    ["a variable", { env: { CONTAINER_RUNTIME_ENDPOINT: "tcp://127.0.0.1:1" } }, /plain TCP/],
    ["a missing file", { env: {}, configPath: "/nonexistent/crictl.yaml" }, /does not exist/],
  ])("%s that is invalid is a finding, not an error", async (_, options, message) => {
    const diagnosis = await diagnose(options);
    expect(only(diagnosis, "endpoint")).toMatchObject([{ status: "failure", found: expect.stringMatching(message) }]);
    expect(only(diagnosis, "endpoint")[0]?.remedy).toBeDefined();
  });

  test("warns if a program without an endpoint would have to choose between runtimes", async () => {
    const { runtime } = await startFake();
    const root = await nodeWith({});
    const { runtime: known } = await startFake({ endpoint: await socketIn(root, "/run/containerd/containerd.sock") });
    await startFake({ endpoint: await socketIn(root, "/run/crio/crio.sock") });
    const named = await diagnose({ endpoint: runtime.endpoint, root });
    expect(only(named, "other-runtimes")[0]).toMatchObject({
      status: "ok",
      found: expect.stringMatching(/containerd at .*CRI-O at /),
    });
    const found = await diagnose({ env: {}, root });
    expect(only(found, "endpoint")[0]).toMatchObject({ found: `${known.endpoint} from well-known sockets` });
    expect(only(found, "other-runtimes")[0]).toMatchObject({
      status: "warning",
      commands: [`export CONTAINER_RUNTIME_ENDPOINT=${known.endpoint}`],
    });
  });
});

async function socketIn(root: string, path: string): Promise<string> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  return `unix://${join(root, path)}`;
}

describe("the socket and the server", () => {
  test("a socket without a process, and a socket that everyone may use", async () => {
    const { runtime } = await startFake();
    const path = runtime.endpoint.replace("unix://", "");
    await chmod(path, 0o666);
    expect(only(await diagnose({ endpoint: path }), "socket")).toMatchObject([
      { status: "warning", commands: [`sudo chmod o-rwx ${path}`] },
    ]);
    await runtime.kill();
    const dead = await diagnose({ endpoint: path });
    expect(only(dead, "socket")).toMatchObject([{ status: "failure" }]);
    expect(only(dead, "socket")[0]?.commands[0]).toMatch(/systemctl restart containerd/);
    expect(only(dead, "server")).toMatchObject([{ status: "skipped" }]);
  });

  test("a containerd without CRI, and the line that disables it", async () => {
    const { runtime } = await startFake({ serveCri: false });
    const root = await nodeWith({ "etc/containerd/config.toml": '# Docker\ndisabled_plugins = ["cri"]\n' });
    const diagnosis = await diagnose({ endpoint: runtime.endpoint, root });
    expect(only(diagnosis, "server")).toMatchObject([
      { status: "failure", details: ['/etc/containerd/config.toml:2: disabled_plugins = ["cri"]'] },
    ]);
    expect(only(diagnosis, "server")[0]?.remedy).toMatch(/Enable the CRI plugin/);
    expect(only(diagnosis, "runtime")).toMatchObject([{ status: "skipped" }]);
  });

  test("a runtime that speaks v1alpha2 only", async () => {
    const path = join(await temporaryFolder(), "s");
    onTestFinished(await startAlphaServer(path));
    const diagnosis = await diagnose({ endpoint: path });
    expect(only(diagnosis, "server")).toMatchObject([
      { status: "failure", found: expect.stringMatching(/^containerd 1\.5\.18 speaks CRI v1alpha2 only/) },
    ]);
    expect(only(diagnosis, "server")[0]?.remedy).toMatch(/containerd 1\.6/);
  });

  test("a server that is slow, and one that never answers", async () => {
    const { runtime } = await startFake();
    runtime.delayNext("Version", 1_200);
    const slow = await diagnose({ endpoint: runtime.endpoint });
    expect(only(slow, "server")).toMatchObject([{ status: "warning", found: expect.stringMatching(/slow/) }]);
    runtime.hangNext("Version");
    const hung = await diagnose({ endpoint: runtime.endpoint, timeoutMs: 300 });
    expect(only(hung, "server")).toMatchObject([{ status: "failure", found: expect.stringMatching(/300 ms/) }]);
  });

  test("a server that speaks no gRPC", async () => {
    const path = join(await temporaryFolder(), "s");
    const server = createServer((socket) => {
      socket.on("error", () => {}); // the client may have gone
      socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
    }).listen(path);
    onTestFinished(() => void server.close());
    const diagnosis = await diagnose({ endpoint: path, timeoutMs: 1_000 });
    expect(statuses(diagnosis, "server")).toEqual(["failure"]);
    expect(only(diagnosis, "server")[0]?.remedy).toBeDefined();
  });

  test("TLS that is trusted, that is not, and plain TCP", async () => {
    const authority = await createCertificateAuthority();
    const tls = await authority.issue({ names: ["127.0.0.1"] });
    const { runtime } = await startFake({ endpoint: "https://127.0.0.1:0", tls }, { tls: { ca: authority.cert } });
    const { endpoint } = runtime;
    const trusted = await diagnose({ endpoint, tls: { ca: authority.cert } });
    expect([...statuses(trusted, "socket"), ...statuses(trusted, "server")]).toEqual(["ok", "ok"]);
    const untrusted = await diagnose({ endpoint });
    expect(only(untrusted, "server")).toMatchObject([{ status: "failure", remedy: expect.stringMatching(/tls\.ca/) }]);
    const invalid = await diagnose({ endpoint, tls: { ca: "no certificate" } });
    expect(only(invalid, "server")).toMatchObject([{ status: "failure", remedy: expect.stringMatching(/TLS/) }]);
    const plain = await startFake({ endpoint: "http://127.0.0.1:0" }, { allowInsecureTcp: true });
    const insecure = await diagnose({ endpoint: plain.runtime.endpoint, allowInsecureTcp: true });
    expect(only(insecure, "socket")).toMatchObject([{ status: "warning", found: expect.stringMatching(/root/) }]);
  });
});

describe("the runtime", () => {
  test("that is not ready, with messages that would change a terminal", async () => {
    const { runtime } = await startFake();
    const message = `\u001b[2J${"x".repeat(10_000)}`;
    runtime.respondNext(
      "Status",
      status([{ type: "RuntimeReady", status: false, reason: "Starting", message }, networkReady]),
    );
    const diagnosis = await diagnose({ endpoint: runtime.endpoint });
    const [found] = only(diagnosis, "runtime");
    expect(found).toMatchObject({ status: "failure", found: expect.stringMatching(/is not ready: Starting: /) });
    expect(found?.found.length).toBeLessThan(2_000);
  });

  test("that warns of deprecated settings", async () => {
    const { runtime } = await startFake();
    const message = JSON.stringify({ "io.containerd.deprecation/x": "The property x is deprecated" });
    const condition = { type: "ContainerdHasNoDeprecationWarnings", status: false, reason: "Deprecated", message };
    runtime.respondNext("Status", status([ready, networkReady, condition]));
    expect(only(await diagnose({ endpoint: runtime.endpoint }), "runtime")).toMatchObject([
      { status: "ok" },
      { status: "warning", details: ["The property x is deprecated"] },
    ]);
  });

  test("whose RPC fails: only that check fails", async () => {
    const { runtime } = await startFake();
    runtime.failNext("ImageFsInfo", { code: "UNKNOWN", message: "snapshotter is broken" });
    const diagnosis = await diagnose({ endpoint: runtime.endpoint });
    expect(only(diagnosis, "image-service")).toMatchObject([
      { status: "failure", found: "ImageService/ImageFsInfo failed with UNKNOWN: snapshotter is broken" },
    ]);
    expect(statuses(diagnosis, "disk")).not.toContain("failure");
    runtime.failNext("Status", { code: "UNAVAILABLE", message: "server is not initialized yet" });
    const starting = await diagnose({ endpoint: runtime.endpoint });
    expect(only(starting, "runtime")).toMatchObject([{ status: "failure" }]);
    expect(statuses(starting, "network")).toEqual(["skipped"]);
  });

  test("with pods of a kubelet, and with times in the future", async () => {
    const { runtime, cri } = await startFake({ time: "virtual" });
    const metadata = { name: "coredns", namespace: "kube-system", uid: "1" };
    const labels = { "io.kubernetes.pod.uid": "1" };
    await cri.raw.runtime.runPodSandbox({ config: { metadata, labels } });
    await cri.pods.run({ name: "ours" });
    const diagnosis = await diagnose({ endpoint: runtime.endpoint });
    expect(only(diagnosis, "kubelet")).toMatchObject([
      { status: "warning", found: "a kubelet runs 1 of 2 pods", details: ["kube-system/coredns"] },
    ]);
    expect(statuses(diagnosis, "clock")).toEqual(["ok"]);
    await runtime.advanceTime(3_600_000);
    await cri.pods.run({ name: "later" });
    expect(only(await diagnose({ endpoint: runtime.endpoint }), "clock")).toMatchObject([
      { status: "warning", found: expect.stringMatching(/ahead of/) },
    ]);
  });
});

describe("the network", () => {
  const conflist = (...types: string[]) => JSON.stringify({ name: "n", plugins: types.map((type) => ({ type })) });
  const notReady = {
    type: "NetworkReady",
    status: false,
    reason: "NetworkPluginNotReady",
    message: "cni plugin not initialized",
  };

  async function networkOf(files: Record<string, string>, condition = networkReady, info: Record<string, string> = {}) {
    const { runtime } = await startFake();
    runtime.respondNext("Status", status([ready, condition], info));
    return only(await diagnose({ endpoint: runtime.endpoint, root: await nodeWith(files) }), "network");
  }

  test("without a configuration, the commands install one", async () => {
    const [found] = await networkOf({}, notReady);
    expect(found).toMatchObject({ status: "failure", found: expect.stringMatching(/cni plugin not initialized/) });
    expect(found?.details[0]).toMatch(/^\/etc\/cni\/net\.d has no/);
    const [, json] = /^echo '(.*)' \| sudo tee \/etc\/cni\/net\.d\//.exec(found?.commands.at(-1) ?? "") ?? [];
    expect(JSON.parse(json ?? "")).toMatchObject({ plugins: [{ type: "bridge" }, { type: "portmap" }] });
  });

  test("with a configuration whose plugins are missing, even if the runtime reports that it is ready", async () => {
    const files = { "etc/cni/net.d/10-x.conflist": conflist("bridge", "portmap"), "opt/cni/bin/bridge": "" };
    expect(await networkOf(files)).toMatchObject([
      { status: "failure", found: expect.stringMatching(/missing: portmap$/), commands: expect.any(Array) },
    ]);
    expect(await networkOf({ ...files, "opt/cni/bin/portmap": "" })).toMatchObject([{ status: "ok" }]);
  });

  test("in the directories that the runtime names", async () => {
    const info = { config: JSON.stringify({ cni: { confDir: "/srv/net", binDirs: ["/srv/a", "/srv/b"] } }) };
    const files = { "srv/net/10.conf": JSON.stringify({ type: "ptp", ipam: { type: "dhcp" } }), "srv/a/ptp": "" };
    expect(await networkOf(files, networkReady, info)).toMatchObject([
      { status: "failure", found: expect.stringMatching(/\/srv\/net .*missing: dhcp$/) },
    ]);
    expect(await networkOf({ ...files, "srv/b/dhcp": "" }, networkReady, info)).toMatchObject([
      { status: "ok", found: "ready: /srv/net/10.conf" },
    ]);
  });

  test("with files that cannot be parsed", async () => {
    const files = { "etc/cni/net.d/10-bad.conf": "{", "etc/cni/net.d/20.conf": "{}", "etc/cni/net.d/README": "" };
    const [found] = await networkOf(files, notReady);
    expect(found).toMatchObject({ status: "failure" });
    expect(found?.details.join("\n")).toMatch(/10-bad\.conf is not JSON\n.*20\.conf names no plugin/);
  });
});

describe("deep", () => {
  const image = "registry.example/busybox:1";

  test("runs a pod and uses it, and removes the pod, its log and the image", async () => {
    const { runtime } = await startFake();
    const before = await ourFolders();
    const diagnosis = await diagnose({ endpoint: runtime.endpoint, deep: { image } });
    expect(only(diagnosis, "pod").map(({ status }) => status)).toEqual(Array(8).fill("ok"));
    // What would suggest deep is pointless.
    expect(only(diagnosis, "streaming")).toMatchObject([{ status: "skipped" }]);
    expect(only(diagnosis, "streaming")[0]).not.toHaveProperty("remedy");
    expect([runtime.pods, runtime.containers]).toEqual([[], []]);
    expect(runtime.images.flatMap(({ repoTags }) => repoTags)).not.toContain(image);
    expect(await ourFolders()).toEqual(before);
  });

  test("keeps an image that was there", async () => {
    const { runtime } = await startFake({ images: [image] });
    const { findings } = await diagnose({ endpoint: runtime.endpoint, deep: { image } });
    expect(findings.filter((one) => one.check === "pod" && one.status !== "ok")).toEqual([]);
    expect(runtime.callsOf("PullImage")).toEqual([]);
    expect(runtime.images.flatMap(({ repoTags }) => repoTags)).toContain(image);
  });

  test.each([
    ["PullImage", /pulls images/],
    ["RunPodSandbox", /runs pods/],
    ["StartContainer", /containers start/],
    ["ExecSync", /execSync/],
    ["Exec", /sessions/],
  ] as const)("reports that %s fails, and leaves nothing", async (rpc, step) => {
    const { runtime } = await startFake();
    runtime.failNext(rpc, { code: "UNKNOWN", message: "broken by the test", times: 10 });
    const diagnosis = await diagnose({ endpoint: runtime.endpoint, deep: { image } });
    const failures = only(diagnosis, "pod").filter(({ status }) => status === "failure");
    expect(failures).toMatchObject([{ found: expect.stringMatching(/broken by the test/) }]);
    expect(failures[0]?.found).toMatch(step);
    expect(failures[0]?.remedy).toBeDefined();
    expect([runtime.pods, runtime.containers]).toEqual([[], []]);
  });

  test.each([
    ["RemovePodSandbox", /^the pod \w+ could not be removed: .*broken by the test/, /^sudo .* rm --force \w+$/],
    ["RemoveImage", /^the image registry.* could not be removed: .*broken by the test/, /^sudo .* rmi registry/],
  ] as const)("reports that %s fails, with the command to try again", async (rpc, found, command) => {
    const { runtime } = await startFake();
    runtime.failNext(rpc, { code: "UNKNOWN", message: "broken by the test", times: Number.POSITIVE_INFINITY });
    const pod = only(await diagnose({ endpoint: runtime.endpoint, deep: { image } }), "pod");
    // The findings of the steps are not lost.
    expect(pod.filter(({ status }) => status === "ok").length).toBeGreaterThan(5);
    expect(pod.filter(({ status }) => status === "failure")).toMatchObject([
      { found: expect.stringMatching(found), commands: [expect.stringMatching(command)] },
    ]);
  });

  test("removes the pod if it is cancelled", async () => {
    const { runtime } = await startFake();
    runtime.hangNext("ExecSync");
    const cancelling = new AbortController();
    const result = rejection(diagnose({ endpoint: runtime.endpoint, deep: { image }, signal: cancelling.signal }));
    await runtime.nextCall("ExecSync");
    const reason = new Error("enough");
    cancelling.abort(reason);
    expect(await result).toBe(reason);
    expect([runtime.pods, runtime.containers]).toEqual([[], []]);
  });

  const ourFolders = async () => (await readdir(tmpdir())).filter((name) => name.startsWith("k8s-cri-client-doctor-"));
});

test("refuses options of a wrong type before any I/O", async () => {
  const wrong = [
    { endpont: "x" },
    { deep: 1 },
    { deep: { images: "x" } },
    { timeoutMs: -1 },
    { timeoutMs: 0 },
    { onFinding: 1 },
  ];
  for (const options of wrong) {
    expect(await rejection(diagnose(options as never)), JSON.stringify(options)).toBeInstanceOf(InvalidInputError);
  }
});

test("an aborted signal ends it with its reason, and the connection is closed", async () => {
  const { runtime } = await startFake();
  const reason = new Error("enough");
  expect(await rejection(diagnose({ endpoint: runtime.endpoint, signal: AbortSignal.abort(reason) }))).toBe(reason);
  runtime.hangNext("Status");
  const cancelling = new AbortController();
  const result = rejection(diagnose({ endpoint: runtime.endpoint, signal: cancelling.signal }));
  await runtime.nextCall("Status");
  cancelling.abort(reason);
  expect(await result).toBe(reason);
  await expect.poll(() => runtime.connectionCount).toBe(0);
  expect(existsSync(runtime.endpoint.replace("unix://", ""))).toBe(true);
  await using cri = CriClient.lazy({ endpoint: runtime.endpoint });
  expect((await cri.version()).runtimeName).toBe("containerd");
});
