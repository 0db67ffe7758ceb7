/** A node with a full disk: calls fail with a code, and no partial objects remain once there is space again. */
import { CriError } from "k8s-cri-client";
import { expect, test } from "vitest";
import { thorough } from "../support/thorough.js";
import { fillDisk } from "./helpers/disk.js";
import { criFailureOf } from "./helpers/expectations.js";
import { HostileRegistry } from "./helpers/hostile-registry.js";
import { outputOf } from "./helpers/in-container.js";
import { labJourneys } from "./helpers/journeys.js";

labJourneys("disk-full", (fixture, lab) => {
  const { cri, runtime } = fixture;

  test("creations fail with RESOURCE_EXHAUSTED, and existing objects can be listed and removed", async () => {
    await using registry = await HostileRegistry.start(lab.registriesFolder);
    await using pod = await fixture.hostNetworkPod();
    const container = await fixture.container(pod);
    const spec = fixture.podSpec({ hostNetwork: true, uid: "same" });
    const containerSpec = fixture.containerSpec();
    {
      await using _full = await fillDisk(runtime.endpoint, 0);
      const failures: CriError[] = [
        await criFailureOf(cri.pods.run(spec)),
        await criFailureOf(pod.runContainer(containerSpec)),
        await criFailureOf(cri.images.pull(registry.reference)),
      ];
      for (const failure of failures) {
        expect(failure).toMatchObject({ code: "RESOURCE_EXHAUSTED", suppressed: [] });
        expect(failure.details).toMatch(/no space left on device/);
      }
      expect(failures[2]).toMatchObject({ name: "ImagePullError", reason: "Other" });
      expect((await container.status()).id).toBe(container.id);
      expect((await cri.pods.list()).map(({ id }) => id)).toContain(pod.id);
      await container.stop({ gracePeriodSeconds: 0 });
      await container.remove();
    }
    expect(await cri.containers.list({ pod })).toEqual([]);
    expect(await cri.pods.list({ namespace: fixture.namespace })).toHaveLength(1);
    expect(await cri.images.get(registry.reference)).toBeUndefined();
    // The same creations succeed now that there is space.
    await using again = await cri.pods.run(spec);
    await using next = await again.runContainer(containerSpec);
    expect(await outputOf(next, "echo works")).toBe("works");
    await cri.images.pull(registry.reference);
    await cri.images.remove(registry.reference);
  });

  // The steps fill the disk at every stage, from the first files of the pod to those of the container.
  const steps = thorough ? Array.from({ length: 32 }, (_, i) => 8 * i) : [16, 48, 96, 128];
  test.each(steps)("a disk that fills up after another %i KiB leaves no partial objects", async (kibibytes) => {
    // The first pod pulls the pause image. containerd hangs if the disk fills up during that pull.
    await fixture.sharedPod();
    const before = await fixture.leftovers();
    const outcomes: unknown[] = [];
    {
      await using _full = await fillDisk(runtime.endpoint, kibibytes * 1_024);
      const timeoutMs = 30_000;
      try {
        await using pod = await cri.pods.run(fixture.podSpec({ hostNetwork: true }), { timeoutMs });
        await using _container = await pod.runContainer(fixture.containerSpec(), { timeoutMs });
      } catch (error) {
        outcomes.push(error);
      }
    }
    expect(outcomes.filter((outcome) => !CriError.is(outcome))).toEqual([]);
    if (kibibytes <= 16) expect(outcomes).toHaveLength(1);
    expect(await fixture.leftovers()).toEqual(before);
  });
});
