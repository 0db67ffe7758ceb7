/** The description of a node with a real runtime. */
import { expect, test } from "vitest";
import { describeNode } from "../../src/kubernetes/index.js";
import { cgroupDriverIn } from "../../src/specs/runtime-info.js";
import { labJourneys } from "./helpers/journeys.js";

labJourneys("the description of the node", (fixture) => {
  test("has the cgroup driver and the features that the runtime is configured with", async () => {
    const node = await describeNode(fixture.cri);
    expect(node.cgroupDriver).toBe("cgroupfs");
    const { runtimeHandlers, info } = await fixture.cri.status({ verbose: true });
    // The source of the driver on containerd 1.6 and 1.7, whose driver would otherwise be the default one.
    expect(cgroupDriverIn(info)).toBe("cgroupfs");
    expect(Object.keys(node.recursiveReadOnlyMounts)).toEqual(runtimeHandlers.map(({ name }) => name));
  });
});
