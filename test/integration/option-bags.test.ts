/** Every method with options refuses unknown options, and options that are no object, before any I/O. */

import { Registry } from "prom-client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as crictl from "../../src/crictl/index.js";
import * as main from "../../src/index.js";
import { CriStream } from "../../src/internal/stream.js";
import * as kubernetes from "../../src/kubernetes/index.js";
import { LogStream } from "../../src/logs/log-stream.js";
import * as otel from "../../src/otel/index.js";
import * as prometheus from "../../src/prometheus/index.js";
import {
  ContainerStats,
  ImageServiceDefinition,
  ListContainersRequest,
  RuntimeServiceDefinition,
  VersionResponse,
} from "../../src/proto.js";
import { Container, OwnedContainer } from "../../src/resources/container.js";
import { Containers } from "../../src/resources/containers.js";
import { Images } from "../../src/resources/images.js";
import { OwnedPodSandbox, PodSandbox } from "../../src/resources/pod.js";
import { Pods } from "../../src/resources/pods.js";
import { PortForward } from "../../src/resources/sessions/port-forward.js";
import { PortForwardListener } from "../../src/resources/sessions/port-forward-listener.js";
import { StreamSession } from "../../src/resources/sessions/session.js";
import { Stats } from "../../src/resources/stats.js";
import { EventStream } from "../../src/resources/watching/event-stream.js";
import { NodeView } from "../../src/resources/watching/view.js";
import * as testing from "../../src/testing/index.js";
import { type TemporaryNode, temporaryNode } from "../support/temporary-node.js";
import { planOf } from "./kubernetes/support.js";

const { CriClient, InvalidInputError } = main;
const { FakeRuntime } = testing;

/** The objects whose methods are called. */
let on: {
  runtime: testing.FakeRuntime;
  cri: main.CriClient;
  pod: main.OwnedPodSandbox;
  container: main.OwnedContainer;
  borrowedPod: main.PodSandbox;
  borrowed: main.Container;
  forward: main.PortForward;
  view: main.NodeView;
  at: TemporaryNode;
  plan: kubernetes.PodPlan;
  running: kubernetes.RunningPod;
};

beforeAll(async () => {
  const runtime = await FakeRuntime.start({ images: ["busybox:1"], implemented: "all" });
  const cri = await runtime.connect();
  const pod = await cri.pods.run({ name: "p" });
  const container = await pod.runContainer({ name: "c", image: "busybox:1" });
  const borrowedPod = cri.pods.get(pod.id);
  const view = cri.watch();
  await view.ready;
  await view.close();
  const borrowed = cri.containers.get(container.id);
  const at = await temporaryNode();
  const plan = planOf({ containers: [{ name: "c", image: "busybox:1" }] }, at.node);
  const running = await plan.run(cri);
  await running.waitReady();
  // Otherwise it would call the runtime at any time.
  await running.release();
  const forward = borrowedPod.portForward(80);
  on = { runtime, cri, pod, container, borrowedPod, borrowed, forward, view, at, plan, running };
});

afterAll(async () => {
  await on.at[Symbol.asyncDispose]();
  await on.cri.close();
  await on.runtime.stop();
});

/** A mistyped option, the option that was meant, and the call with options. */
type Case = readonly [typo: string, meant: string, call: (options: never) => unknown];

const timeout = ["timeout", "timeoutMs"] as const;
const grace = ["gracePeriod", "gracePeriodSeconds"] as const;
const pull = ["pullpolicy", "pullPolicy"] as const;
const session = ["pingInterval", "pingIntervalMs"] as const;
const log = ["tail_lines", "tailLines"] as const;
const ignored = ["onIgnore", "onIgnored"] as const;

const cases: Readonly<Record<string, Case>> = {
  "CriClient.connect": ["endpont", "endpoint", (o) => CriClient.connect(o)],
  "CriClient.lazy": ["endpont", "endpoint", (o) => CriClient.lazy(o)],
  "CriClient.createContainerInSandbox": [
    ...pull,
    (o) => on.cri.createContainerInSandbox(on.pod, { name: "d", image: "busybox:1" }, o),
  ],
  "CriClient.runContainerInSandbox": [
    ...pull,
    (o) => on.cri.runContainerInSandbox(on.pod, { name: "d", image: "busybox:1" }, o),
  ],
  "CriClient.version": [...timeout, (o) => on.cri.version(o)],
  "CriClient.status": ["verbos", "verbose", (o) => on.cri.status(o)],
  "CriClient.runtimeConfig": [...timeout, (o) => on.cri.runtimeConfig(o)],
  "CriClient.updateRuntimeConfig": [...timeout, (o) => on.cri.updateRuntimeConfig({}, o)],
  "CriClient.capabilities": [...timeout, (o) => on.cri.capabilities(o)],
  "CriClient.waitForReady": ["netwrok", "network", (o) => on.cri.waitForReady(o)],
  "CriClient.resolveAll": ["kinds", "kind", (o) => on.cri.resolveAll(["p"], o)],
  "CriClient.resolve": ["namespcae", "namespace", (o) => on.cri.resolve("p", o)],
  "CriClient.logs": ["orderWindow", "orderWindowMs", (o) => on.cri.logs({}, o)],
  "CriClient.events": ["lable", "labels", (o) => on.cri.events(o)],
  "CriClient.watch": ["waitForRuntme", "waitForRuntime", (o) => on.cri.watch(o)],
  "CriClient.waitFor": [...timeout, (o) => on.cri.waitFor(on.container, () => true, o)],

  "Pods.run": ["adpot", "adopt", (o) => on.cri.pods.run({ name: "q" }, o)],
  "Pods.restore": ["checkpointpath", "checkpointPath", (o) => on.cri.pods.restore({ name: "q" }, o)],
  "Pods.list": [...timeout, (o) => on.cri.pods.list({}, o)],
  "Pods.iterate": [...timeout, (o) => on.cri.pods.iterate({}, o)],
  "Pods.find": [...timeout, (o) => on.cri.pods.find({ name: "p" }, o)],
  "Pods.resolve": ["namespcae", "namespace", (o) => on.cri.pods.resolve("p", o)],
  "Pods.remove": [...grace, (o) => on.cri.pods.remove(on.pod, o)],

  "Pods.prune": ["includeKublet", "includeKubelet", (o) => on.cri.pods.prune(o)],
  "Pods.pruneLogs": ["dryrun", "dryRun", (o) => on.cri.pods.pruneLogs("/nowhere", o)],

  "Containers.create": [...pull, (o) => on.cri.containers.create(on.pod, { name: "d", image: "busybox:1" }, o)],
  "Containers.run": [...pull, (o) => on.cri.containers.run(on.pod, { name: "d", image: "busybox:1" }, o)],
  "Containers.list": [...timeout, (o) => on.cri.containers.list({}, o)],
  "Containers.iterate": [...timeout, (o) => on.cri.containers.iterate({}, o)],
  "Containers.find": [...timeout, (o) => on.cri.containers.find({ name: "c" }, o)],
  "Containers.resolve": ["namespcae", "namespace", (o) => on.cri.containers.resolve("c", o)],
  "Containers.findByPid": [...timeout, (o) => on.cri.containers.findByPid(process.pid, o)],
  "Containers.prune": ["maxContainer", "maxContainers", (o) => on.cri.containers.prune(o)],
  "Containers.remove": [...grace, (o) => on.cri.containers.remove(on.container, o)],

  "Images.pull": ["Auth", "auth", (o) => on.cri.images.pull("busybox:1", o)],
  "Images.pullAll": ["concurency", "concurrency", (o) => on.cri.images.pullAll(["busybox:1"], o)],
  "Images.ensure": [...pull, (o) => on.cri.images.ensure("busybox:1", o)],
  "Images.get": [...timeout, (o) => on.cri.images.get("busybox:1", o)],
  "Images.exists": [...timeout, (o) => on.cri.images.exists("busybox:1", o)],
  "Images.inspect": [...timeout, (o) => on.cri.images.inspect("busybox:1", o)],
  "Images.list": [...timeout, (o) => on.cri.images.list({ image: "busybox:1" }, o)],
  "Images.iterate": [...timeout, (o) => on.cri.images.iterate({}, o)],
  "Images.remove": [...timeout, (o) => on.cri.images.remove("busybox:1", o)],
  "Images.prune": ["dryrun", "dryRun", (o) => on.cri.images.prune(o)],
  "Images.recordUsage": [...timeout, (o) => on.cri.images.recordUsage(new main.ImageUsage(), o)],
  "Images.fsInfo": [...timeout, (o) => on.cri.images.fsInfo(o)],

  "Stats.container": [...timeout, (o) => on.cri.stats.container(on.container, o)],
  "Stats.containers": [...timeout, (o) => on.cri.stats.containers({}, o)],
  "Stats.iterateContainers": [...timeout, (o) => on.cri.stats.iterateContainers({}, o)],
  "Stats.pod": [...timeout, (o) => on.cri.stats.pod(on.pod, o)],
  "Stats.pods": [...timeout, (o) => on.cri.stats.pods({}, o)],
  "Stats.iteratePods": [...timeout, (o) => on.cri.stats.iteratePods({}, o)],
  "Stats.snapshot": ["lables", "labels", (o) => on.cri.stats.snapshot(o)],
  "Stats.watch": ["interval", "intervalMs", (o) => on.cri.stats.watch(o)],
  "Stats.diskUsage": [...timeout, (o) => on.cri.stats.diskUsage(o)],
  "Stats.metricDescriptors": [...timeout, (o) => on.cri.stats.metricDescriptors(o)],
  "Stats.podMetrics": [...timeout, (o) => on.cri.stats.podMetrics(o)],
  "Stats.iteratePodMetrics": [...timeout, (o) => on.cri.stats.iteratePodMetrics(o)],

  "PodSandbox.status": [...timeout, (o) => on.pod.status(o)],
  "PodSandbox.state": [...timeout, (o) => on.pod.state(o)],
  "PodSandbox.inspect": [...timeout, (o) => on.pod.inspect(o)],
  "PodSandbox.stats": [...timeout, (o) => on.pod.stats(o)],
  "PodSandbox.containers": [...timeout, (o) => on.pod.containers({}, o)],
  "PodSandbox.stop": [...grace, (o) => on.borrowedPod.stop(o)],
  "PodSandbox.remove": [...grace, (o) => on.borrowedPod.remove(o)],
  "PodSandbox.logs": ["contaner", "container", (o) => on.pod.logs(o)],
  "PodSandbox.portForward": [...session, (o) => on.pod.portForward(80, o)],
  "PodSandbox.updateResources": [...timeout, (o) => on.pod.updateResources({}, o)],
  "PodSandbox.portForwardUrl": [...timeout, (o) => on.pod.portForwardUrl([80], o)],
  "PodSandbox.checkpoint": ["outputpath", "outputPath", (o) => on.pod.checkpoint(o)],
  "PodSandbox.createContainer": [...pull, (o) => on.pod.createContainer({ name: "d", image: "busybox:1" }, o)],
  "PodSandbox.runContainer": [...pull, (o) => on.pod.runContainer({ name: "d", image: "busybox:1" }, o)],
  "OwnedPodSandbox.stop": [...grace, (o) => on.pod.stop(o)],
  "OwnedPodSandbox.remove": [...grace, (o) => on.pod.remove(o)],

  "Container.start": [...timeout, (o) => on.container.start(o)],
  "Container.stop": [...grace, (o) => on.borrowed.stop(o)],
  "Container.remove": [...grace, (o) => on.borrowed.remove(o)],
  "Container.status": [...timeout, (o) => on.container.status(o)],
  "Container.state": [...timeout, (o) => on.container.state(o)],
  "Container.inspect": [...timeout, (o) => on.container.inspect(o)],
  "Container.stats": [...timeout, (o) => on.container.stats(o)],
  "Container.wait": [...timeout, (o) => on.container.wait(o)],
  "Container.execSync": ["commandTimeout", "commandTimeoutSeconds", (o) => on.container.execSync(["true"], o)],
  "Container.exec": ["killonabort", "killOnAbort", (o) => on.container.exec(["true"], o)],
  "Container.execOutput": ["maxOutput", "maxOutputBytes", (o) => on.container.execOutput(["true"], o)],
  "Container.execInteractive": ["detachkeys", "detachKeys", (o) => on.container.execInteractive(["sh"], o)],
  "Container.attach": ["stdIn", "stdin", (o) => on.container.attach(o)],
  "Container.attachInteractive": ["detachkeys", "detachKeys", (o) => on.container.attachInteractive(o)],
  "Container.copyTo": ["intofolder", "intoFolder", (o) => on.container.copyTo("/nowhere", "/x", o)],
  "Container.copyFrom": ["maxByte", "maxBytes", (o) => on.container.copyFrom("/x", "/nowhere", o)],
  "Container.writeFile": ["maxByte", "maxBytes", (o) => on.container.writeFile("/x", "", o)],
  "Container.readFile": ["Encoding", "encoding", (o) => on.container.readFile("/x", o)],
  "Container.putArchive": ["onprogress", "onProgress", (o) => on.container.putArchive("/x", Buffer.alloc(1_024), o)],
  "Container.getArchive": ["onprogress", "onProgress", (o) => on.container.getArchive("/x", o)],
  "Container.restart": ["keepold", "keepOld", (o) => on.container.restart(o)],
  "Container.updateResources": [...timeout, (o) => on.container.updateResources({}, o)],
  "Container.checkpoint": ["outputpath", "outputPath", (o) => on.container.checkpoint(o)],
  "Container.logs": [...log, (o) => on.container.logs(o)],
  "Container.rotateLog": ["localpath", "localPath", (o) => on.container.rotateLog(o)],
  "Container.reopenLog": [...timeout, (o) => on.container.reopenLog(o)],
  "Container.execUrl": ["ttty", "tty", (o) => on.container.execUrl(["sh"], o)],
  "Container.attachUrl": ["ttty", "tty", (o) => on.container.attachUrl(o)],
  "OwnedContainer.stop": [...grace, (o) => on.container.stop(o)],
  "OwnedContainer.remove": [...grace, (o) => on.container.remove(o)],

  "PortForward.connect": ["signl", "signal", (o) => on.forward.connect(80, o)],
  "PortForward.listen": ["remoteport", "remotePort", (o) => on.forward.listen(o)],

  "FakeRuntime.start": ["flavour", "flavor", (o) => FakeRuntime.start(o)],
  "FakeRuntime.connect": ["alowInsecureTcp", "allowInsecureTcp", (o) => on.runtime.connect(o)],
  "FakeRuntime.failNext": ["Code", "code", (o) => on.runtime.failNext("Version", o)],
  "FakeRuntime.delayNext": ["time", "times", (o) => on.runtime.delayNext("Version", 5, o)],
  "FakeRuntime.hangNext": ["time", "times", (o) => on.runtime.hangNext("Version", o)],
  "FakeRuntime.dropNext": ["time", "times", (o) => on.runtime.dropNext("Version", "beforeEffect", o)],
  "FakeRuntime.respondNext": ["time", "times", (o) => on.runtime.respondNext("Version", VersionResponse.create(), o)],
  "FakeRuntime.slowNext": ["chunkbytes", "chunkBytes", (o) => on.runtime.slowNext("Version", o)],
  "FakeRuntime.oversizeNext": ["byte", "bytes", (o) => on.runtime.oversizeNext("Version", o)],
  "FakeRuntime.startChaos": ["rates", "rate", (o) => on.runtime.startChaos(o)],
  "FakeRuntime.restart": ["keepstate", "keepState", (o) => on.runtime.restart(o)],

  "RegistryCredentials.load": ["file", "files", (o) => main.RegistryCredentials.load(o)],
  "RegistryCredentials.lookup": [...timeout, (o) => main.RegistryCredentials.fromSecrets([]).lookup("nginx", o)],

  diagnose: ["endpont", "endpoint", (o) => main.diagnose(o)],
  discoverEndpoint: ["rot", "root", (o) => main.discoverEndpoint(o)],
  loadCrictlConfig: ["strct", "strict", (o) => main.loadCrictlConfig(undefined, {}, o)],
  readLogFile: [...log, (o) => main.readLogFile("/nowhere", o)],
  messageFromJson: ["ignoreUnknown", "ignoreUnknownFields", (o) => main.messageFromJson(ListContainersRequest, {}, o)],
  messageFromGoJson: [
    "ignoreUnknown",
    "ignoreUnknownFields",
    (o) => main.messageFromGoJson(ListContainersRequest, {}, o),
  ],
  messageToGoJson: [
    "replaceInvalidUTF8",
    "replaceInvalidUtf8",
    (o) => main.messageToGoJson(ContainerStats, ContainerStats.create(), o),
  ],
  describeNode: [...timeout, (o) => kubernetes.describeNode(on.cri, {}, o)],
  "PodPlan.run": [...timeout, (o) => on.plan.run(on.cri, o)],
  "RunningPod.waitReady": [...timeout, (o) => on.running.waitReady(o)],
  "RunningPod.wait": [...timeout, (o) => on.running.wait(o)],
  "RunningPod.logs": [...log, (o) => on.running.logs(o)],
  "RunningPod.statuses": ["signl", "signal", (o) => on.running.statuses(o)],
  "RunningPod.events": ["signl", "signal", (o) => on.running.events(o)],
  "RunningPod.stop": [...grace, (o) => on.running.stop(o)],
  runManifest: ["nodes", "node", (o) => kubernetes.runManifest(on.cri, {}, o)],
  readManifests: ["namespase", "namespace", (o) => kubernetes.readManifests("", o)],
  readManifestFiles: ["unknownKind", "unknownKinds", (o) => kubernetes.readManifestFiles("/nowhere", o)],
  instrument: ["tracerProvder", "tracerProvider", (o) => otel.instrument(o)],
  registerClientMetrics: ["prefx", "prefix", (o) => prometheus.registerClientMetrics(new Registry(), o)],
  formatMetrics: ["onMised", "onMissed", (o) => prometheus.formatMetrics([], [], o)],
  fromCrictlPodConfig: [...ignored, (o) => crictl.fromCrictlPodConfig({}, o)],
  fromCrictlContainerConfig: [...ignored, (o) => crictl.fromCrictlContainerConfig({}, o)],
  fromCrictlInspect: [...ignored, (o) => crictl.fromCrictlInspect([], o)],
  fromCrictlInspectp: [...ignored, (o) => crictl.fromCrictlInspectp([], o)],
  fromCrictlInspecti: [...ignored, (o) => crictl.fromCrictlInspecti([], o)],
  fromCrictlPs: [...ignored, (o) => crictl.fromCrictlPs({ containers: [] }, o)],
  fromCrictlPods: [...ignored, (o) => crictl.fromCrictlPods({ items: [] }, o)],
  fromCrictlImages: [...ignored, (o) => crictl.fromCrictlImages({ images: [] }, o)],
};

/** Methods and functions that take no options. */
const withoutOptions: ReadonlySet<string> = new Set([
  "toCrictlPodConfig",
  "toCrictlContainerConfig",
  "wasRunFromManifest",
  // Its defaults are in `nested` below.
  "CriClient.with",
  "CriClient.close",
  "Pods.get",
  "Containers.get",
  "OwnedPodSandbox.release",
  "OwnedPodSandbox.dispose",
  "OwnedContainer.release",
  "OwnedContainer.dispose",
  "PortForward.close",
  "PortForwardListener.start", // internal
  "PortForwardListener.close",
  "NodeView.findPods",
  "NodeView.findContainers",
  "NodeView.containersOf",
  "NodeView.on",
  "NodeView.close",
  "EventStream.close",
  "CriStream.batches",
  "CriStream.close",
  "StreamSession.resize",
  "StreamSession.close",
  "StreamSession.settle", // protected
  "RegistryCredentials.fromSecrets",
  "RegistryCredentials.withSecrets",
  "RegistryCredentials.candidates", // internal
  "RegistryCredentials.toJSON",
  "FakeRuntime.callsOf",
  "FakeRuntime.nextCall",
  "FakeRuntime.clearCalls",
  "FakeRuntime.clearFaults",
  "FakeRuntime.emit",
  "FakeRuntime.addImage",
  "FakeRuntime.advanceTime",
  "FakeRuntime.disconnectClients",
  "FakeRuntime.freeze",
  "FakeRuntime.thaw",
  "FakeRuntime.kill",
  "FakeRuntime.stop",
  "PodPlan.toJSON",
  "PodPlan.diff",
  "PodPlan.subPaths",
  "PodPlan.hostsFile",
  "PodPlan.sandbox",
  "PodPlan.pullImage",
  "PodPlan.createContainer",
  "RunningPod.status",
  "RunningPod.columns",
  "RunningPod.container",
  "RunningPod.release",
  "RunningPod.dispose",
  "RunningPod.toJSON",
  // Their options have required fields.
  "planPod",
  "removePod",
  "authFromDockerConfig",
  "cpuCores",
  "formatUsage",
  "fromKubeletConfiguration",
  "messageToJson",
  "parseImageReference",
  "redact",
  "toDate",
  "toNanoseconds",
  "toRfc3339Nano",
  "withDefaults",
]);

const classes = [
  CriClient,
  Pods,
  Containers,
  Images,
  Stats,
  PodSandbox,
  OwnedPodSandbox,
  Container,
  OwnedContainer,
  PortForward,
  PortForwardListener,
  NodeView,
  EventStream,
  LogStream,
  CriStream,
  StreamSession,
  main.RegistryCredentials,
  kubernetes.PodPlan,
  kubernetes.RunningPod,
  FakeRuntime,
];

const isFunction = ([name, { value }]: [string, PropertyDescriptor]) =>
  typeof value === "function" && name !== "constructor";

/** The methods and static methods of a class, without inherited ones. */
function methodsOf(type: { readonly name: string; readonly prototype: object }): string[] {
  return [type.prototype, type].flatMap((owner) =>
    Object.entries(Object.getOwnPropertyDescriptors(owner))
      .filter(isFunction)
      .map(([name]) => `${type.name}.${name}`),
  );
}

/** The functions that a module exports, without classes. */
function functionsOf(module: object): string[] {
  return Object.entries(module)
    .filter(([, value]) => typeof value === "function" && !/^class\b/.test(String(value)))
    .map(([name]) => name);
}

test("every public method and function is listed here", () => {
  const modules = [main, prometheus, otel, crictl, kubernetes, testing];
  const all = [...classes.flatMap(methodsOf), ...modules.flatMap(functionsOf)];
  expect(all.filter((name) => !(name in cases) && !withoutOptions.has(name))).toEqual([]);
  expect([...Object.keys(cases), ...withoutOptions].filter((name) => !all.includes(name))).toEqual([]);
});

const secret = "s3cr3t";
const notObjects: readonly unknown[] = [null, 10, secret, true, [secret], new Map([["timeoutMs", 1]]), () => secret];

/** Returns the error of a call that is refused. Fails if the call does any I/O, or if the error shows a value. */
async function refusalOf(call: Case[2], options: unknown): Promise<main.InvalidInputError> {
  const before = on.runtime.calls.length;
  const error = await Promise.resolve()
    .then(() => call(options as never))
    .then(
      () => undefined,
      (reason: unknown) => reason,
    );
  expect(error, `options ${String(options)}`).toBeInstanceOf(InvalidInputError);
  expect(String(error)).not.toContain(secret);
  expect(on.runtime.calls.length).toBe(before);
  expect(on.runtime.pendingFaults).toEqual([]);
  return error as main.InvalidInputError;
}

describe.each(Object.entries(cases))("%s", (_, [typo, meant, call]) => {
  test(`refuses ${typo} and suggests ${meant}`, async () => {
    const { field, details } = await refusalOf(call, { [typo]: secret });
    expect(field).toBe(typo);
    expect(details).toBe(`${typo}: unknown option; did you mean ${meant}?`);
  });

  test("refuses options that are no object", async () => {
    for (const options of notObjects) {
      const { field, details } = await refusalOf(call, options);
      expect(field).toBe("options");
      expect(details).toMatch(/^options: must be an object/);
    }
  });
});

const stubs = [RuntimeServiceDefinition, ImageServiceDefinition].flatMap(({ name, methods }) =>
  Object.keys(methods).map((method) => [name === "RuntimeService" ? "runtime" : "image", method] as const),
);

const trace = Symbol("trace");

describe("raw stubs", () => {
  test.each(stubs)("raw.%s.%s refuses unknown options and options that are no object", async (service, method) => {
    const stub = on.cri.raw[service][method as never] as (request: object, options: unknown) => unknown;
    const call = (options: unknown) => stub({}, options);
    expect((await refusalOf(call, { timeout: secret })).details).toBe(
      "timeout: unknown option; did you mean timeoutMs?",
    );
    for (const options of notObjects) expect((await refusalOf(call, options)).field).toBe("options");
  });

  test("accept the options of nice-grpc, and symbols for middleware", async () => {
    const headers: unknown[] = [];
    const traces: unknown[] = [];
    const options = {
      timeoutMs: 5_000,
      signal: AbortSignal.timeout(5_000),
      deadline: new Date(Date.now() + 5_000),
      retry: false,
      onHeader: (header: unknown) => headers.push(header),
      onTrailer: (trailer: unknown) => headers.push(trailer),
      [trace]: 1,
    } as const;
    await using cri = await on.runtime.connect({
      middleware: [
        async function* readTrace(call, given) {
          traces.push((given as { [trace]?: number })[trace]);
          return yield* call.next(call.request, given);
        },
      ],
    });
    await cri.raw.runtime.version({}, options);
    expect(headers).toHaveLength(2);
    expect(traces.at(-1)).toBe(1);
  });
});

const endpoint = "/run/nowhere.sock";

/** Options within options: the path, a mistyped option, the option that was meant, and the call. */
const nested: readonly (readonly [path: string, ...Case])[] = [
  ["defaults", "timeoutms", "timeoutMs", (defaults) => on.cri.with(defaults)],
  ...(
    [
      ["defaults", "timeoutms", "timeoutMs"],
      ["watch", "polMs", "pollMs"],
      ["tls", "Ca", "ca"],
      ["streamTls", "servername", "serverName"],
    ] as const
  ).flatMap(([path, typo, meant]) => [
    [path, typo, meant, (value: never) => CriClient.lazy({ endpoint, [path]: value })] as const,
    [path, typo, meant, (value: never) => CriClient.connect({ endpoint, [path]: value })] as const,
  ]),
  ["retry", "maxAttempt", "maxAttempts", (retry) => on.cri.version({ retry })],
  ["retry", "maxAttempt", "maxAttempts", (retry) => on.container.stop({ retry })],
  ["retry", "maxAttempt", "maxAttempts", (retry) => on.container.execOutput(["true"], { retry })],
  ["retry", "maxAttempt", "maxAttempts", (retry) => on.cri.raw.runtime.version({}, { retry })],
  ["defaults.retry", "maxAttempt", "maxAttempts", (retry) => CriClient.lazy({ endpoint, defaults: { retry } })],
  ["defaults.retry", "maxAttempt", "maxAttempts", (retry) => on.cri.with({ retry })],
  ["terminalSize", "column", "columns", (terminalSize) => on.container.exec(["sh"], { tty: true, terminalSize })],
  ["tls", "Cert", "cert", (tls) => FakeRuntime.start({ tls })],
  ["streaming", "websockets", "websocket", (streaming) => FakeRuntime.start({ streaming })],
  ["version", "runtimename", "runtimeName", (version) => FakeRuntime.start({ version })],
  ["images[0]", "Auth", "auth", (image) => on.cri.images.pullAll([image])],
  ["images[0]", "refrence", "reference", (image) => FakeRuntime.start({ images: [image] })],
  ["registryImages[0]", "refrence", "reference", (image) => FakeRuntime.start({ registryImages: [image] })],
  ["image", "refrence", "reference", (image) => on.runtime.addImage(image)],
  ["deep", "imag", "image", (deep) => main.diagnose({ deep })],
];

test.each(nested)("%s refuses %s and suggests %s", async (path, typo, meant, call) => {
  const { field, details } = await refusalOf(call, { [typo]: secret });
  expect(field).toBe(`${path}.${typo}`);
  expect(details).toMatch(new RegExp(`unknown (option|field); did you mean ${meant}\\?$`));
  expect((await refusalOf(call, [secret])).field).toBe(path);
});

test.each<[string, Case[2]]>([
  ["pods.list", (filter) => on.cri.pods.list(filter)],
  ["containers.list", (filter) => on.cri.containers.list(filter)],
  ["images.list", (filter) => on.cri.images.list(filter)],
  ["stats.containers", (filter) => on.cri.stats.containers(filter)],
  ["stats.pods", (filter) => on.cri.stats.pods(filter)],
  ["view.findPods", (filter) => on.view.findPods(filter)],
  ["view.findContainers", (filter) => on.view.findContainers(filter)],
])("%s refuses a filter with unknown fields, which would select everything", async (_, call) => {
  expect((await refusalOf(call, { states: secret })).details).toMatch(/^filter\.states: unknown field; /);
  for (const filter of notObjects) expect((await refusalOf(call, filter)).field).toBe("filter");
});

test.each<[string, string, Case[2]]>([
  ["lazy", "endpoint: is required", (options) => CriClient.lazy(options)],
  ["pod.checkpoint", "outputPath: is required", (options) => on.pod.checkpoint(options)],
  ["container.checkpoint", "outputPath: is required", (options) => on.container.checkpoint(options)],
  ["pods.restore", "checkpointPath: is required", (options) => on.cri.pods.restore({ name: "q" }, options)],
  ["failNext", "code: expected the name", (options) => on.runtime.failNext("Version", options)],
])("%s() names a required option that is missing", async (_, message, call) => {
  expect((await refusalOf(call, undefined)).details).toContain(message);
});

test("with() without defaults returns a client for the same runtime", async () => {
  await using cri = on.cri.with(undefined as never);
  expect((await cri.version()).runtimeName).toBe("containerd");
});

test.each([[], new Map([["authorization", secret]]), secret])("refuses %s as metadata", async (metadata) => {
  expect((await refusalOf((value) => on.cri.version({ metadata: value }), metadata)).field).toBe("metadata");
});
