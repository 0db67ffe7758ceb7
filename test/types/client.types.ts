// Handles, results, errors and raw stubs: inferred types, and code that must not compile.
import type { Readable, Writable } from "node:stream";
import type {
  AttachSession,
  Container,
  CriEvent,
  ExecOptions,
  ExecResult,
  ExecSession,
  OwnedContainer,
  OwnedPodSandbox,
  PodSandbox,
  RawCallOptions,
  StreamSession,
  TriedEndpoint,
} from "k8s-cri-client";
import { type CriClient, CriError, EndpointError, ExecError, NameReservedError } from "k8s-cri-client";
import type {
  ContainerConfig,
  ContainerStatus,
  ListContainersResponse,
  PodSandboxConfig,
  PodSandbox as PodSandboxMessage,
  PodSandboxStatus,
  VersionResponse,
} from "k8s-cri-client/proto";
import type { FakeRuntime } from "k8s-cri-client/testing";
import { expectTypeOf } from "vitest";

declare const cri: CriClient;
declare const pod: OwnedPodSandbox;
declare const container: Container;
declare const encoding: "utf8" | "buffer";
declare const runtime: FakeRuntime;

// The encoding determines the type of the output.
expectTypeOf(container.execSync(["ls"])).resolves.toEqualTypeOf<ExecResult<string>>();
expectTypeOf(container.execSync(["ls"], { encoding: "utf8" })).resolves.toEqualTypeOf<ExecResult<string>>();
expectTypeOf(container.execSync(["ls"], { encoding: "buffer" })).resolves.toEqualTypeOf<ExecResult<Uint8Array>>();
expectTypeOf(container.execSync(["ls"], { encoding })).resolves.toEqualTypeOf<ExecResult | ExecResult<Uint8Array>>();
expectTypeOf(cri.containers.get("id").execSync(["ls"], { encoding: "buffer" })).resolves.toEqualTypeOf<
  ExecResult<Uint8Array>
>();
// @ts-expect-error The encoding is "utf8" or "buffer".
void container.execSync(["ls"], { encoding: "hex" });
// @ts-expect-error A command is a list.
void container.execSync("ls -l");
// @ts-expect-error The unit is in the name.
void container.execSync(["ls"], { commandTimeoutMs: 1_000 });

// The options determine the types of a session's streams.
export async function streams(options: ExecOptions): Promise<void> {
  const plain = await container.exec(["ls"]);
  expectTypeOf(plain).toEqualTypeOf<ExecSession<null, Readable, Readable>>();
  const input = await container.exec(["tee"], { stdin: true, stdout: false, timeoutMs: 1_000 });
  expectTypeOf(input).toEqualTypeOf<ExecSession<Writable, null, Readable>>();
  const terminal = await container.exec(["sh"], { stdin: true, tty: true });
  expectTypeOf(terminal).toEqualTypeOf<ExecSession<Writable, Readable, null>>();
  expectTypeOf(await container.exec(["ls"], options)).toEqualTypeOf<ExecSession>();
  expectTypeOf(await container.exec(["ls"], { ...options, stdin: true })).toEqualTypeOf<ExecSession<Writable>>();
  expectTypeOf(await container.attach()).toEqualTypeOf<AttachSession<null, Readable, Readable>>();
  expectTypeOf(await container.attach({ stdin: true, tty: true })).toEqualTypeOf<
    AttachSession<Writable, Readable, null>
  >();
  expectTypeOf(input).toExtend<ExecSession>();
  expectTypeOf(input).toExtend<StreamSession>();
  // @ts-expect-error The unit is in the name.
  await container.exec(["ls"], { stdin: true, timeout: 1_000 });
  // @ts-expect-error Attach has no option killOnAbort.
  await container.attach({ killOnAbort: true });
  // @ts-expect-error Input was not requested.
  plain.stdin.end();
}

// Created handles are owned, handles from an id are borrowed.
expectTypeOf(cri.pods.run({ name: "demo" })).resolves.toEqualTypeOf<OwnedPodSandbox>();
expectTypeOf(cri.pods.get("id")).toEqualTypeOf<PodSandbox>();
expectTypeOf(cri.containers.get("id")).toEqualTypeOf<Container>();
expectTypeOf(pod.runContainer({ name: "main", image: "busybox" })).resolves.toEqualTypeOf<OwnedContainer>();
expectTypeOf(
  cri.runContainerInSandbox(pod, { name: "main", image: "busybox" }),
).resolves.toEqualTypeOf<OwnedContainer>();
expectTypeOf(cri.createContainerInSandbox("id", { name: "main", image: "x" })).resolves.toEqualTypeOf<OwnedContainer>();
expectTypeOf(pod.release()).toEqualTypeOf<PodSandbox>();
expectTypeOf<OwnedPodSandbox>().toExtend<PodSandbox & AsyncDisposable>();
expectTypeOf<OwnedContainer>().toExtend<Container & AsyncDisposable>();
expectTypeOf<PodSandbox>().not.toExtend<AsyncDisposable>();
expectTypeOf<Container>().not.toExtend<AsyncDisposable>();
expectTypeOf<CriClient>().toExtend<AsyncDisposable>();
expectTypeOf<FakeRuntime>().toExtend<AsyncDisposable>();
expectTypeOf<OwnedContainer["config"]>().toEqualTypeOf<ContainerConfig>();
expectTypeOf<OwnedPodSandbox["config"]>().toEqualTypeOf<PodSandboxConfig>();

export async function owning(): Promise<void> {
  await using owned = await cri.pods.run({ name: "demo" });
  // @ts-expect-error A borrowed handle cannot be disposed of.
  await using borrowed = cri.pods.get(owned.id);
  // @ts-expect-error A borrowed handle cannot be released.
  borrowed.release();
  // @ts-expect-error A borrowed handle has no configuration.
  borrowed.config;
}

// The type of an event narrows its fields. The target of waitFor determines the status.
export async function watch(): Promise<void> {
  for await (const event of cri.events({ initial: true })) {
    if (event.type === "containerExited") expectTypeOf(event.exitCode).toEqualTypeOf<number | undefined>();
    if (event.type === "resync") expectTypeOf(event.pods).toEqualTypeOf<ReadonlyMap<string, PodSandboxMessage>>();
    // @ts-expect-error Only containerExited has an exit code.
    if (event.type === "containerAdded") event.exitCode;
  }
  expectTypeOf(await cri.waitFor(pod, ({ network }) => network !== undefined)).toEqualTypeOf<PodSandboxStatus>();
  expectTypeOf(await cri.waitFor(container, ({ exitCode }) => exitCode > 0)).toEqualTypeOf<ContainerStatus>();
  // @ts-expect-error An id could name a pod or a container.
  await cri.waitFor("id", () => true);
  const view = cri.watch();
  view.on("change", (event) => expectTypeOf(event).toEqualTypeOf<CriEvent>());
  view.on("podAdded", (event) => expectTypeOf(event.type).toEqualTypeOf<"podAdded">());
  view.on("containerExited", (event) => expectTypeOf(event.exitCode).toEqualTypeOf<number | undefined>());
  // @ts-expect-error There is no such event.
  view.on("podStarted", () => {});
}

// Pods and containers are not interchangeable.
// @ts-expect-error
void cri.containers.get(pod).stop();
// @ts-expect-error
void cri.pods.get(container).stop();
// @ts-expect-error A result of `list` is a message, not a handle or an id.
void cri.pods.list().then(([first]) => cri.pods.get(first?.metadata).stop());

// An unknown value becomes an error with a code.
export function explain(error: unknown): string {
  if (CriError.is(error, "NOT_FOUND", "NAME_RESERVED")) {
    expectTypeOf(error.code).toEqualTypeOf<"NOT_FOUND" | "NAME_RESERVED">();
    return error.code;
  }
  if (CriError.is(error)) expectTypeOf(error).toEqualTypeOf<CriError>();
  if (error instanceof NameReservedError) return error.holderId ?? "unknown";
  if (error instanceof EndpointError) expectTypeOf(error.tried).toEqualTypeOf<readonly TriedEndpoint[]>();
  if (error instanceof ExecError) expectTypeOf(error.exitCode).toEqualTypeOf<number>();
  // @ts-expect-error There is no such code.
  if (CriError.is(error, "NOT_THERE")) return "";
  // @ts-expect-error The error is still unknown.
  return error.code;
}

// The raw stubs accept the options of nice-grpc and of this package.
expectTypeOf(cri.raw.runtime.version({}, { timeoutMs: 1_000, retry: false })).resolves.toEqualTypeOf<VersionResponse>();
expectTypeOf(cri.raw.runtime.listContainers({ filter: { id: "x" } })).resolves.toEqualTypeOf<ListContainersResponse>();
expectTypeOf<RawCallOptions>().toHaveProperty("timeoutMs").toEqualTypeOf<number | undefined>();
// @ts-expect-error The unit is in the name of the option.
void cri.raw.runtime.version({}, { timeout: 1_000 });
// @ts-expect-error The request has no such field.
void cri.raw.runtime.stopContainer({ id: "x" });

// Faults can only name existing RPCs.
runtime.failNext("CreateContainer", { code: "UNAVAILABLE" });
// @ts-expect-error
runtime.failNext("MakeContainer", { code: "UNAVAILABLE" });
// @ts-expect-error
runtime.failNext("CreateContainer", { code: "NAME_RESERVED" });
