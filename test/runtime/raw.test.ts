/** The generated stubs, which use the channel and the middleware of the client. */
import { CriError } from "k8s-cri-client";
import { ClientError, type ClientMiddleware, Status } from "nice-grpc-common";
import { expect, test } from "vitest";
import { eventually, failureOf } from "./helpers/expectations.js";
import { journeys } from "./helpers/journeys.js";

journeys("raw", (fixture) => {
  const { cri, runtime } = fixture;
  const noSuchId = "e".repeat(64);

  test("returns replies unchanged, and rejects with nice-grpc's ClientError", async () => {
    expect((await cri.raw.runtime.version({})).runtimeVersion).toContain(runtime.version);
    expect((await cri.raw.image.listImages({})).images.length).toBeGreaterThan(0);
    expect((await cri.raw.image.imageStatus({ image: { image: "localhost:1/no/such:1" } })).image).toBeUndefined();
    const failure = await failureOf(cri.raw.runtime.containerStatus({ containerId: noSuchId }));
    expect(failure).toBeInstanceOf(ClientError);
    const code = runtime.runtimeName === "docker" ? Status.UNKNOWN : Status.NOT_FOUND;
    expect(failure).toMatchObject({ code, path: "/runtime.v1.RuntimeService/ContainerStatus" });
    expect(CriError.is(failure)).toBe(false);
  });

  test("sends deadlines as grpc-timeout; middleware runs once per call, attemptMiddleware once per attempt", async () => {
    const logical: string[] = [];
    const attempts: (string | undefined)[] = [];
    const outer: ClientMiddleware = async function* (call, options) {
      logical.push(call.method.path);
      return yield* call.next(call.request, options);
    };
    const inner: ClientMiddleware = async function* (call, options) {
      attempts.push(options.metadata?.get("grpc-timeout"));
      return yield* call.next(call.request, options);
    };
    await using client = fixture.client({ middleware: [outer], attemptMiddleware: [inner] });
    await client.raw.runtime.version({}, { timeoutMs: 5_000 });
    await client.raw.runtime.version({}, { deadline: new Date(Date.now() + 5_000) });
    await client.version({ timeoutMs: 5_000 });
    await client.version({ timeoutMs: 0 });
    await client.version();
    expect(logical).toHaveLength(5);
    const limits = attempts.map((value) => (value === undefined ? undefined : Number.parseInt(value, 10)));
    expect(attempts.slice(0, 3).every((value) => value?.endsWith("m"))).toBe(true);
    for (const limit of limits.slice(0, 3)) {
      expect(limit).toBeLessThanOrEqual(5_000);
      expect(limit).toBeGreaterThan(1_000);
    }
    expect(limits[3]).toBeUndefined();
    expect(limits[4]).toBeLessThanOrEqual(120_000);
    expect(limits[4]).toBeGreaterThan(100_000);
  });

  test("rejects after a deadline, an abort, and on a closed client", async () => {
    expect(await failureOf(cri.raw.runtime.version({}, { deadline: new Date(Date.now() - 1) }))).toMatchObject({
      code: Status.DEADLINE_EXCEEDED,
    });
    const reason = new Error("aborted by the caller");
    expect(await failureOf(cri.raw.runtime.version({}, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    const client = fixture.client();
    await client.close();
    expect(CriError.is(await failureOf(client.raw.runtime.version({})), "CLIENT_CLOSED")).toBe(true);
  });

  test("streams container events if the runtime supports them", async () => {
    const abort = new AbortController();
    const seen: string[] = [];
    const events = (async () => {
      for await (const event of cri.raw.runtime.getContainerEvents({}, { signal: abort.signal })) {
        seen.push(`${event.containerId} ${event.containerEventType}`);
      }
    })();
    const outcome = events.then(
      () => "ended",
      (error: unknown) => error,
    );
    if (/^(containerd-1\.6|docker)/.test(runtime.name)) {
      expect(await outcome).toMatchObject({ code: Status.UNIMPLEMENTED });
      return;
    }
    await using container = await fixture.container(await fixture.sharedPod(), { command: ["/bin/true"] });
    await container.wait();
    await eventually(
      () => seen,
      (all) => all.includes(`${container.id} 2`),
    );
    expect(seen).toContain(`${container.id} 0`);
    const reason = new Error("aborted by the caller");
    abort.abort(reason);
    expect(await outcome).toBe(reason);
  });
});
