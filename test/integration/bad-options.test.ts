/** Every method rejects options of a wrong type before any I/O, and names the option. */
import { expect, onTestFinished, test } from "vitest";
import { type CallOptions, CriClient, readLogFile } from "../../src/index.js";
import { rejection, startFake } from "./support.js";

type Method = (cri: CriClient, options: CallOptions) => Promise<unknown>;

const id = "0123456789abcdef";
const methods: Record<string, Method> = {
  version: (cri, options) => cri.version(options),
  "pods.list": (cri, options) => cri.pods.list({}, options),
  "pods.run": (cri, options) => cri.pods.run({ name: "p" }, options),
  "pods.stop": (cri, options) => cri.pods.get(id).stop(options),
  "container.execSync": (cri, options) => cri.containers.get(id).execSync(["true"], options),
  "container.exec": (cri, options) => cri.containers.get(id).exec(["true"], options),
  "container.attach": (cri, options) => cri.containers.get(id).attach(options),
  "container.wait": (cri, options) => cri.containers.get(id).wait(options),
  "container.copyFrom": (cri, options) => cri.containers.get(id).copyFrom("/etc", "/nowhere", options),
  "pod.portForward": async (cri, options) => cri.pods.get(id).portForward(80, options),
  "images.pull": (cri, options) => cri.images.pull("busybox:1", options),
  "stats.snapshot": (cri, options) => cri.stats.snapshot(options),
  waitForReady: (cri, options) => cri.waitForReady(options),
  "raw.runtime.version": (cri, options) => cri.raw.runtime.version({}, options as object),
};

const streams: Record<string, (cri: CriClient, signal: AbortSignal) => unknown> = {
  events: (cri, signal) => cri.events({ signal }),
  watch: (cri, signal) => cri.watch({ signal }),
  logs: (cri, signal) => cri.logs({}, { signal }),
  "container.logs": (cri, signal) => cri.containers.get(id).logs({ signal }),
  "stats.watch": (cri, signal) => cri.stats.watch({ signal }),
};

const mistakes: readonly (readonly [string, unknown])[] = [
  ["timeoutMs", 5_000n],
  ["timeoutMs", "5000"],
  ["deadline", 5_000],
  ["signal", {}],
  ["signal", 5],
  ["retry", 3],
];

test.each(Object.entries(methods))("%s rejects options of a wrong type", async (_, method) => {
  const { runtime, cri } = await startFake();
  const before = runtime.calls.length;
  for (const [field, value] of mistakes) {
    const failure = await rejection(Promise.resolve().then(() => method(cri, { [field]: value })));
    expect(failure, `${field}: ${String(value)}`).toMatchObject({ code: "INVALID_INPUT", field });
  }
  expect(runtime.calls.length).toBe(before);
});

test.each(Object.entries(streams))("%s refuses a signal that is not an AbortSignal", async (_, open) => {
  const { cri } = await startFake();
  expect(() => open(cri, {} as AbortSignal)).toThrow(/signal: must be an AbortSignal/);
});

test.each([{}, 5, "x", null])("with() and readLogFile() refuse the signal %j", (signal) => {
  const cri = CriClient.lazy({ endpoint: "/run/x.sock" });
  onTestFinished(() => cri.close());
  expect(() => cri.with({ signal: signal as never })).toThrow(/defaults\.signal: must be an AbortSignal/);
  for (const field of ["signal", "writerEnded"]) {
    expect(() => readLogFile("/nope", { [field]: signal })).toThrow(`${field}: must be an AbortSignal`);
  }
});

test.each([
  ["timeoutMs", "5000"],
  ["retry", 3],
])("lazy() refuses defaults with %s: %j", (name, value) => {
  const connect = () => CriClient.lazy({ endpoint: "/run/x.sock", defaults: { [name]: value } });
  expect(connect).toThrow(new RegExp(`defaults\\.${name}: must be`));
});

test.each([
  ["a file name", "/etc/ca.pem", ": must be an object, got a string"],
  ["null", null, ": must be an object, got null"],
  ["a Map", new Map([["ca", "x"]]), ": must be an object, got a Map"],
  ["an unknown field", { Ca: "x" }, ".Ca: unknown field; did you mean ca?"],
])("lazy() refuses %s as TLS options", (_, tls, message) => {
  for (const field of ["tls", "streamTls"]) {
    expect(() => CriClient.lazy({ endpoint: "https://node7:1", [field]: tls })).toThrow(field + message);
  }
});

test.each(["80", 80n, Number.NaN, null])("portForward() refuses the port %s", async (port) => {
  const { cri } = await startFake();
  const shown = typeof port === "string" ? `"${port}"` : typeof port === "bigint" ? `${port}n` : String(port);
  const message = `ports[0]: must be a number from 1 to 65535, got ${shown}`;
  expect(() => cri.pods.get(id).portForward(port as number)).toThrow(message);
});

test.each(["", "a\0b", 7, null, undefined])("copyFrom() and copyTo() reject the local path %j", async (path) => {
  const { runtime, cri } = await startFake();
  const before = runtime.calls.length;
  const container = cri.containers.get(id);
  for (const copy of [container.copyFrom("/etc", path as string), container.copyTo(path as string, "/etc")]) {
    expect(await rejection(copy)).toMatchObject({ code: "INVALID_INPUT", field: "localPath" });
  }
  expect(runtime.calls).toHaveLength(before);
});

test.each(["maxBytes", "maxEntries"])("copyFrom() rejects %s unless it is a number from 0", async (field) => {
  const { runtime, cri } = await startFake();
  const before = runtime.calls.length;
  for (const value of [-1, Number.NaN, "5", null, 5n]) {
    const failure = await rejection(cri.containers.get(id).copyFrom("/etc", "/nowhere", { [field]: value }));
    expect(failure).toMatchObject({ code: "INVALID_INPUT", field });
  }
  expect(runtime.calls.length).toBe(before);
});

test.each<[string, (cri: CriClient, value: never) => Promise<unknown>, string, unknown[]]>([
  [
    "stopContainer's timeout",
    (cri, timeout) => cri.raw.runtime.stopContainer({ containerId: id, timeout }),
    "request.timeout",
    ["abc", Number.NaN, null, 1.5, true],
  ],
  [
    "the id",
    (cri, containerId) => cri.raw.runtime.removeContainer({ containerId }),
    "request.containerId",
    [5, null, {}],
  ],
  [
    "the value of a variable",
    (cri, value) =>
      cri.raw.runtime.createContainer({ podSandboxId: id, config: { envs: [{ key: "A", value }] }, sandboxConfig: {} }),
    "request.config.envs[0].value",
    ["s3cr3t", [1]],
  ],
  [
    "a label",
    (cri, value) => cri.raw.runtime.listContainers({ filter: { labelSelector: { app: value } } }),
    "request.filter.labelSelector.app",
    [5, null],
  ],
  [
    "a number of 32 bits",
    (cri, attempt) =>
      cri.raw.runtime.createContainer({ podSandboxId: id, config: { metadata: { name: "c", attempt } } }),
    "request.config.metadata.attempt",
    [2 ** 32, -1, 1.5, "1"],
  ],
  [
    "a signed number of 32 bits",
    (cri, hostPort) => cri.raw.runtime.runPodSandbox({ config: { portMappings: [{ hostPort }] } }),
    "request.config.portMappings[0].hostPort",
    [2 ** 31, 2 ** 32 - 1, -(2 ** 31) - 1],
  ],
  [
    "an enum",
    (cri, protocol) => cri.raw.runtime.runPodSandbox({ config: { portMappings: [{ protocol }] } }),
    "request.config.portMappings[0].protocol",
    [2 ** 31, "TCP"],
  ],
  [
    "a number of 64 bits",
    (cri, timeout) => cri.raw.runtime.stopContainer({ containerId: id, timeout }),
    "request.timeout",
    ["9223372036854775808", 2 ** 53],
  ],
  [
    "a label whose key cannot be sent",
    (cri, value) => {
      const labelSelector = Object.fromEntries([["__proto__", value]]);
      return cri.raw.runtime.listContainers({ filter: { labelSelector } });
    },
    "request.filter.labelSelector.__proto__",
    ["web"],
  ],
  ["a list", (cri, cmd) => cri.raw.runtime.execSync({ containerId: id, cmd }), "request.cmd", ["ls"]],
])("raw stubs reject a wrong type of %s", async (_, call, field, values) => {
  const { runtime, cri } = await startFake();
  const before = runtime.calls.length;
  for (const value of values) {
    const failure = await rejection(call(cri, value as never));
    expect(failure, String(value)).toMatchObject({ code: "INVALID_INPUT", field });
    expect(String(failure)).not.toContain("s3cr3t");
  }
  expect(runtime.calls.length).toBe(before);
});

test("raw stubs accept every form of a 64-bit number", async () => {
  const { cri } = await startFake();
  const pod = await cri.pods.run({ name: "p" });
  const container = await pod.runContainer({ name: "c", image: "busybox:1" });
  for (const timeout of [0, "0", { low: 0, high: 0, unsigned: false }] as never[]) {
    await cri.raw.runtime.stopContainer({ containerId: container.id, timeout });
  }
});

test.each([
  ["middleware", () => {}],
  ["attemptMiddleware", [null]],
])("%s that is no array of functions is refused", (name, value) => {
  const connect = () => CriClient.lazy({ endpoint: "/run/x.sock", [name]: value });
  expect(connect).toThrow(`${name}: must be an array of nice-grpc middlewares`);
});
