import { inspect } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type NodeConfig, type PodManifest, type PodPlan, planPod } from "../../../../src/kubernetes/index.js";
import { CreateContainerRequest, RunPodSandboxRequest } from "../../../../src/proto.js";
import { anyNode, anyPod, referredObjects, secretMark } from "../../../support/pod-arbitrary.js";
import { facts } from "./plan-of.js";

function plan(pod: PodManifest, node: NodeConfig): PodPlan {
  return planPod(pod, { node, objects: referredObjects });
}

/** All messages of a plan, as the bytes that a runtime receives. */
function bytesOf(plan: PodPlan): Buffer[] {
  const sandbox = plan.sandbox(1);
  const containers = plan.containers.map((container) => plan.createContainer(container, facts, sandbox.config!));
  return [
    Buffer.from(RunPodSandboxRequest.encode(sandbox).finish()),
    ...containers.map((request) => Buffer.from(CreateContainerRequest.encode(request).finish())),
  ];
}

test("a valid pod always has a plan, and the same plan each time", () => {
  fc.assert(
    fc.property(anyPod, anyNode, (pod, node) => {
      const [one, two] = [plan(pod, node), plan(structuredClone(pod), structuredClone(node))];
      expect(two.toJSON()).toEqual(one.toJSON());
      expect(bytesOf(two)).toEqual(bytesOf(one));
      expect(one.diff(two)).toEqual({ changes: [], replaces: false });
    }),
    { numRuns: 30 },
  );
});

test("the JSON of a plan survives a round trip, and shows no secret", () => {
  fc.assert(
    fc.property(anyPod, anyNode, (pod, node) => {
      const planned = plan(pod, node);
      const text = JSON.stringify(planned);
      expect(JSON.parse(text)).toEqual(planned.toJSON());
      expect(text).not.toContain(secretMark);
      expect(inspect([planned, planned.containers, planned.volumes], { depth: null })).not.toContain(secretMark);
    }),
    { numRuns: 30 },
  );
});

test("plans of two pods differ without showing a secret, and the difference to itself reversed has as many changes", () => {
  fc.assert(
    fc.property(anyPod, anyPod, anyNode, (first, second, node) => {
      const [one, two] = [plan(first, node), plan(second, node)];
      const { changes, replaces } = one.diff(two);
      expect(replaces).toBe(one.hash !== two.hash);
      expect(two.diff(one).changes).toHaveLength(changes.length);
      expect(JSON.stringify(changes)).not.toContain(secretMark);
    }),
    { numRuns: 15 },
  );
});
