/** Messages beyond the size limits: the error names the side whose limit applies, and how to raise it. */
import type { CriClient } from "k8s-cri-client";
import { expect, test } from "vitest";
import { expectCode } from "./helpers/expectations.js";
import { journeys } from "./helpers/journeys.js";

journeys("message-limits", (fixture) => {
  const { cri } = fixture;
  const oversized = () => "x".repeat(fixture.traits.maxMessageBytes + 2 ** 20);

  test("a list beyond the client's limit rejects with RESOURCE_EXHAUSTED and names the option", async () => {
    await using _container = await fixture.container(await fixture.sharedPod());
    await using limited = fixture.client({ channelOptions: { "grpc.max_receive_message_length": 64 } });
    const calls: ((cri: CriClient) => Promise<unknown[]>)[] = [
      (client) => client.images.list(),
      (client) => client.containers.list(),
      (client) => client.pods.list(),
      (client) => client.stats.containers(),
    ];
    for (const call of calls) {
      const failure = await expectCode(call(limited), "RESOURCE_EXHAUSTED");
      expect(failure.message).toMatch(
        /larger than max \(\d+ vs 64\).*raise channelOptions\["grpc.max_receive_message_len/,
      );
      expect((await call(cri)).length).toBeGreaterThan(0);
    }
  });

  test("a request beyond the runtime's limit rejects with RESOURCE_EXHAUSTED and has no effect", async () => {
    const spec = fixture.podSpec({ annotations: { oversized: oversized() } });
    for (const failure of [
      await expectCode(cri.pods.run(spec), "RESOURCE_EXHAUSTED"),
      await expectCode(
        cri.images.pull(fixture.image, { auth: { username: "me", password: oversized() } }),
        "RESOURCE_EXHAUSTED",
      ),
    ]) {
      expect(failure.mayHaveTakenEffect).toBe(false);
      expect(failure.message).toMatch(/the request is larger than the runtime accepts.*max_recv_message_size/);
      expect(failure.message.length).toBeLessThan(1_000);
    }
    expect(await cri.pods.list({ name: spec.name })).toEqual([]);
  });
});
