// Handles, results, errors and raw stubs: what is inferred, and what is refused.
import type {
  Container,
  ExecResult,
  OwnedContainer,
  OwnedPodSandbox,
  PodSandbox,
  RawCallOptions,
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

// The encoding decides about the output.
expectTypeOf(container.execSync(["ls"])).resolves.toEqualTypeOf<ExecResult<string>>();
expectTypeOf(container.execSync(["ls"], { encoding: "utf8" })).resolves.toEqualTypeOf<ExecResult<string>>();
expectTypeOf(container.execSync(["ls"], { encoding: "buffer" })).resolves.toEqualTypeOf<ExecResult<Uint8Array>>();
expectTypeOf(container.execSync(["ls"], { encoding })).resolves.toEqualTypeOf<ExecResult | ExecResult<Uint8Array>>();
expectTypeOf(cri.containers.get("id").execSync(["ls"], { encoding: "buffer" })).resolves.toEqualTypeOf<
  ExecResult<Uint8Array>
>();
// @ts-expect-error There are two encodings.
void container.execSync(["ls"], { encoding: "hex" });
// @ts-expect-error A command is a list.
void container.execSync("ls -l");
// @ts-expect-error The unit is in the name.
void container.execSync(["ls"], { commandTimeoutMs: 1_000 });

// What was made here is owned, what was only named is borrowed.
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
  // @ts-expect-error Nor let go.
  borrowed.release();
  // @ts-expect-error And it does not know the configuration.
  borrowed.config;
}

// Events are told apart by their type; what is waited for decides about the status.
export async function watch(): Promise<void> {
  for await (const event of cri.events({ initial: true })) {
    if (event.type === "containerExited") expectTypeOf(event.exitCode).toEqualTypeOf<number | undefined>();
    if (event.type === "resync") expectTypeOf(event.pods).toEqualTypeOf<ReadonlyMap<string, PodSandboxMessage>>();
    // @ts-expect-error Only an exit has an exit code.
    if (event.type === "containerAdded") event.exitCode;
  }
  expectTypeOf(await cri.waitFor(pod, ({ network }) => network !== undefined)).toEqualTypeOf<PodSandboxStatus>();
  expectTypeOf(await cri.waitFor(container, ({ exitCode }) => exitCode > 0)).toEqualTypeOf<ContainerStatus>();
  // @ts-expect-error An id may be a pod's or a container's.
  await cri.waitFor("id", () => true);
  const view = cri.watch();
  view.on("podAdded", (event) => expectTypeOf(event.type).toEqualTypeOf<"podAdded">());
  view.on("containerExited", (event) => expectTypeOf(event.exitCode).toEqualTypeOf<number | undefined>());
  // @ts-expect-error There is no such event.
  view.on("podStarted", () => {});
}

// A pod is no container.
// @ts-expect-error
void cri.containers.get(pod).stop();
// @ts-expect-error
void cri.pods.get(container).stop();
// @ts-expect-error A result of `list` is a message, not a handle or an id.
void cri.pods.list().then(([first]) => cri.pods.get(first?.metadata).stop());

// An unknown value becomes an error with a code.
export function explain(error: unknown): string {
  if (CriError.is(error, "NOT_FOUND", "NAME_RESERVED")) {
    expectTypeOf(error).toEqualTypeOf<CriError>();
    return error.code;
  }
  if (error instanceof NameReservedError) return error.holderId ?? "unknown";
  if (error instanceof EndpointError) expectTypeOf(error.tried).toEqualTypeOf<readonly TriedEndpoint[]>();
  if (error instanceof ExecError) expectTypeOf(error.exitCode).toEqualTypeOf<number>();
  // @ts-expect-error There is no such code.
  if (CriError.is(error, "NOT_THERE")) return "";
  // @ts-expect-error Nothing is known about it yet.
  return error.code;
}

// The raw stubs take nice-grpc's options and the package's own.
expectTypeOf(cri.raw.runtime.version({}, { timeoutMs: 1_000, retry: false })).resolves.toEqualTypeOf<VersionResponse>();
expectTypeOf(cri.raw.runtime.listContainers({ filter: { id: "x" } })).resolves.toEqualTypeOf<ListContainersResponse>();
expectTypeOf<RawCallOptions>().toHaveProperty("timeoutMs").toEqualTypeOf<number | undefined>();
// @ts-expect-error Options have the unit in their name here too.
void cri.raw.runtime.version({}, { timeout: 1_000 });
// @ts-expect-error Requests know their fields.
void cri.raw.runtime.stopContainer({ id: "x" });

// Faults are for RPCs that exist.
runtime.failNext("CreateContainer", { code: "UNAVAILABLE" });
// @ts-expect-error
runtime.failNext("MakeContainer", { code: "UNAVAILABLE" });
// @ts-expect-error
runtime.failNext("CreateContainer", { code: "NAME_RESERVED" });
