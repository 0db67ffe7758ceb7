/** A client releases all its resources when it closes, and leaves no listeners on signals. */
import { getEventListeners } from "node:events";
import { CriClient } from "k8s-cri-client";
import { expect, test } from "vitest";
import { eventually, failureOf, inBatches } from "./helpers/expectations.js";
import { journeys } from "./helpers/journeys.js";

/** Lists the open resources of this process that a client may have created. */
function openResources(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((kind) => /Pipe|TCP|TLS|HTTP2|Timeout|Immediate/i.test(kind) && !/PipeConnectWrap/.test(kind))
    .sort();
}

journeys(
  "handles",
  (fixture) => {
    const { runtime } = fixture;

    test("a long-lived signal has no listeners after 200 successful and failed calls", async () => {
      await using client = fixture.client();
      await using pod = await fixture.hostNetworkPod();
      await using container = await fixture.container(pod);
      const { signal } = new AbortController();
      const options = { signal };
      const calls: ((index: number) => Promise<unknown>)[] = [
        () => client.version(options),
        () => client.containers.list({ pod }, options),
        () => client.containers.get(container).execSync(["true"], options),
        () => failureOf(client.containers.get("0".repeat(64)).status(options)),
        // Usually too short, so the call fails.
        () => client.version({ ...options, timeoutMs: 0.01 }).catch(() => {}),
        () => failureOf(client.containers.get(container).wait({ ...options, timeoutMs: 60 })),
        () => client.images.ensure(fixture.image, options),
        () => client.stats.container(container, options),
        () => client.raw.runtime.version({}, options),
        () => client.waitForReady(options),
      ];
      await inBatches(
        Array.from({ length: 200 }, (_, index) => index),
        8,
        async (index) => {
          await calls[index % calls.length]!(index);
        },
      );
      expect(getEventListeners(signal, "abort")).toEqual([]);
    });

    test("close() closes all sockets and timers", async () => {
      const before = openResources();
      for (const _ of [1, 2, 3]) {
        const client = await CriClient.connect({ endpoint: runtime.endpoint, imageEndpoint: runtime.imageEndpoint });
        await client.containers.list();
        await client.images.list();
        await client.capabilities();
        await client.containers.list({ state: "running" });
        await client.close();
        await client.close();
      }
      await eventually(openResources, (now) => now.length <= before.length);
    });

    test("close() during calls rejects them with CLIENT_CLOSED and closes all sockets and timers", async () => {
      await using pod = await fixture.hostNetworkPod();
      await using container = await fixture.container(pod);
      const before = openResources();
      const client = fixture.client();
      await client.version();
      const calls = [
        failureOf(client.containers.get(container).wait()),
        failureOf(client.containers.get(container).execSync(["/bin/sleep", "1000"])),
        failureOf(client.waitForReady({ network: true }).then(() => client.containers.get(container).wait())),
      ];
      await new Promise((resolve) => setTimeout(resolve, 200));
      await client.close();
      for (const failure of await Promise.all(calls)) expect(failure).toMatchObject({ code: "CLIENT_CLOSED" });
      await eventually(openResources, (now) => now.length <= before.length);
    });

    test("close() closes all sockets and timers of a client that never connected", async () => {
      const before = openResources();
      const client = CriClient.lazy({ endpoint: "unix:///tmp/no/such/runtime.sock" });
      await failureOf(client.version({ retry: false }));
      await client.close();
      await failureOf(CriClient.connect({ endpoint: "unix:///tmp/no/such/runtime.sock", connectTimeoutMs: 300 }));
      await eventually(openResources, (now) => now.length <= before.length);
    });

    test("closing a client from with() leaves the original open, and closing the original closes both", async () => {
      const client = fixture.client();
      const derived = client.with({ timeoutMs: 5_000 });
      expect((await derived.version()).runtimeVersion).toContain(runtime.version);
      await derived.close();
      expect(await failureOf(derived.version())).toMatchObject({ code: "CLIENT_CLOSED" });
      expect((await client.version()).runtimeVersion).toContain(runtime.version);
      const other = client.with({ retry: false });
      await client.close();
      expect(await failureOf(other.version())).toMatchObject({ code: "CLIENT_CLOSED" });
    });
  },
  { sequential: true },
);
