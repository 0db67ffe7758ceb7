import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../../../../src/errors.js";
import { type PlanOptions, planPod, readManifests } from "../../../../src/kubernetes/index.js";
import { recordedNode as node } from "../../../support/kubelet-recordings.js";
import { faultsOf } from "./plan-of.js";

const { pods } = readManifests(
  "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: i}]}}",
);
const pod = pods[0]!;

function errorOf(options: unknown): InvalidInputError {
  try {
    planPod(pod, options as PlanOptions);
  } catch (error) {
    if (error instanceof InvalidInputError) return error;
    throw error;
  }
  throw new Error("planned");
}

describe("planPod", () => {
  test.each([
    [undefined, "node: is required: describeNode returns it"],
    [{}, "node: is required: describeNode returns it"],
    [{ node: "a" }, "node: must be an object, got a string"],
    [{ node: {} }, "node.rootDirectory: is required: describeNode returns it"],
    [{ node: { ...node, cgroupVersion: 3 } }, "node.cgroupVersion: must be 1 or 2, got 3"],
    [{ node: { ...node, kubeReserved: {} } }, "node.kubeReserved: unknown field"],
    [{ node, objects: readManifests("") }, "objects.pods: unknown option; known are configMaps, "],
    [{ node, objects: { configmaps: [] } }, "objects.configmaps: unknown option; did you mean configMaps?"],
    [{ node, objects: { secrets: {} } }, "objects.secrets: must be a list, got an object"],
    [{ node, tokens: [{ tokn: "hunter2" }] }, "tokens[0].tokn: unknown field; did you mean token?"],
    [{ node, tokens: [{ token: ["hunter2"] }] }, "tokens[0].token: must be a string, got an array"],
  ])("refuses the options %#", (options, message) => {
    expect(errorOf(options).details).toContain(message);
  });

  test("reports the faults of all objects, without their values", () => {
    const objects = {
      configMaps: [{ metadata: { name: "m" }, data: { a: ["hunter2"] } }, null],
      secrets: [{ metadata: { name: "s" }, data: { a: "hunter2" } }],
      services: [{ kind: "Ingress", metadata: { name: "w" }, spec: {} }],
    };
    expect(faultsOf(() => planPod(pod, { node, objects: objects as never }))).toEqual([
      "objects.configMaps[0].data.a: must be a string, got an array",
      "objects.configMaps[1]: must be a map, got null",
      "objects.secrets[0].data.a: must be base64",
      'objects.services[0].kind: must be "Service", got "Ingress"',
    ]);
  });

  test("accepts pods and objects of lists of an API server, which state no kind", () => {
    const { kind: _, apiVersion: __, ...item } = pod;
    const withConfig = {
      ...item,
      spec: { containers: [{ name: "c", image: "i", envFrom: [{ configMapRef: { name: "m" } }] }] },
    };
    const objects = { configMaps: [{ metadata: { name: "m" }, data: { A: "1" } }] };
    expect(planPod(withConfig as never, { node, objects: objects as never }).pod.kind).toBe("Pod");
  });

  test("takes the last of several objects with one name", () => {
    const objects = readManifests([
      { apiVersion: "node.k8s.io/v1", kind: "RuntimeClass", metadata: { name: "r" }, handler: "first" },
    ]).objects;
    const runtimeClasses = [...objects.runtimeClasses, { ...objects.runtimeClasses[0]!, handler: "last" }];
    const plan = planPod(
      { ...pod, spec: { ...pod.spec, runtimeClassName: "r" } },
      { node, objects: { runtimeClasses } },
    );
    expect(plan.runtimeHandler).toBe("last");
  });
});
