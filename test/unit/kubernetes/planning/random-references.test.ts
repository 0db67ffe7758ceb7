import { inspect } from "node:util";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { ContainerManifest, VolumeManifest } from "../../../../src/kubernetes/index.js";
import { environmentOf } from "../../../../src/kubernetes/planning/environment.js";
import { mountsOf } from "../../../../src/kubernetes/planning/mounts.js";
import { volumesOf } from "../../../../src/kubernetes/planning/volumes.js";
import { contextOf, faultsOf } from "./pod-context.js";

/** The value of every ConfigMap, Secret and token. As a sub-path, it leads out of the volume. */
const secret = "/s3cr3t-value/..";

const name = fc.constantFrom("one", "two", "absent", "");
const key = fc.oneof(fc.constantFrom("a", "b", "__proto__", "toString"), fc.string());
const optional = fc.option(fc.boolean(), { nil: undefined });
const path = fc.oneof(fc.constantFrom("a", "a/b", "../x", "/x", "..data"), fc.string());
const fieldPath = fc.oneof(fc.constantFrom("metadata.name", "metadata.labels['a']", "status.podIPs"), fc.string());
const quantity = fc.oneof(fc.constantFrom("1", "100m", "1Gi", "-1", "x"), fc.double(), fc.string());
const resource = fc.record({
  containerName: fc.option(fc.constantFrom("main", "absent", ""), { nil: undefined }),
  resource: fc.oneof(fc.constantFrom("limits.cpu", "requests.memory", "limits.hugepages-2Mi"), fc.string()),
  divisor: fc.option(quantity, { nil: undefined }),
});
const text = fc.string({ unit: fc.constantFrom("$", "(", ")", "a", "/", ".", "\0") });
const keyReference = fc.record({ name, key, optional });
const items = fc.option(fc.array(fc.record({ key, path }), { maxLength: 3 }), { nil: undefined });
const downwardItems = fc.array(
  fc.oneof(fc.record({ path, fieldRef: fc.record({ fieldPath }) }), fc.record({ path, resourceFieldRef: resource })),
  { maxLength: 3 },
);

const container: fc.Arbitrary<ContainerManifest> = fc.record({
  name: fc.constant("main"),
  image: fc.constant("app:1"),
  envFrom: fc.array(
    fc.oneof(
      fc.record({ prefix: fc.string(), configMapRef: fc.record({ name, optional }) }),
      fc.record({ secretRef: fc.record({ name, optional }) }),
    ),
    { maxLength: 2 },
  ),
  env: fc.array(
    fc.oneof(
      fc.record({ name: fc.constantFrom("a", "A"), value: text }),
      fc.record({ name: fc.constant("F"), valueFrom: fc.record({ fieldRef: fc.record({ fieldPath }) }) }),
      fc.record({ name: fc.constant("R"), valueFrom: fc.record({ resourceFieldRef: resource }) }),
      fc.record({ name: fc.constant("C"), valueFrom: fc.record({ configMapKeyRef: keyReference }) }),
      fc.record({ name: fc.constant("S"), valueFrom: fc.record({ secretKeyRef: keyReference }) }),
    ),
    { maxLength: 5 },
  ),
  resources: fc.record({ limits: fc.dictionary(fc.constantFrom("cpu", "memory", "hugepages-2Mi"), quantity) }),
  volumeMounts: fc.array(
    fc.record({
      name: fc.constantFrom("v0", "v1", "absent"),
      mountPath: path,
      subPath: fc.option(path, { nil: undefined }),
      subPathExpr: fc.option(fc.oneof(text, fc.constantFrom("$(S)", "$(C)/x")), { nil: undefined }),
    }),
    { maxLength: 3 },
  ),
});

const source: fc.Arbitrary<Omit<VolumeManifest, "name">> = fc.oneof(
  fc.record({
    emptyDir: fc.record({
      medium: fc.oneof(fc.constantFrom("", "Memory", "HugePages"), fc.string()),
      sizeLimit: quantity,
    }),
  }),
  fc.record({ configMap: fc.record({ name, items, optional }) }),
  fc.record({ secret: fc.record({ secretName: name, items, optional }) }),
  fc.record({ downwardAPI: fc.record({ items: downwardItems }) }),
  fc.record({
    projected: fc.record({
      sources: fc.array(
        fc.oneof(
          fc.record({ secret: fc.record({ name, items, optional }) }),
          fc.record({ serviceAccountToken: fc.record({ path, audience: fc.constantFrom("vault", "other") }) }),
        ),
        { maxLength: 3 },
      ),
    }),
  }),
);

it("random references have a plan or faults, and neither shows a value", () => {
  const data = { a: secret, b: Buffer.from(secret).toString("base64") };
  const metadata = { name: "one", namespace: "shop" };
  const objects = {
    configMaps: [{ apiVersion: "v1", kind: "ConfigMap", metadata, data, binaryData: { c: `${secret}!` } }] as const,
    secrets: [{ apiVersion: "v1", kind: "Secret", metadata, data, stringData: { a: secret } }] as const,
  };
  const tokens = [{ audience: "vault", token: secret }];
  let planned = 0;
  fc.assert(
    fc.property(container, fc.array(source, { maxLength: 2 }), (main, sources) => {
      const volumes = sources.map((one, index) => ({ name: `v${index}`, ...one }));
      const context = contextOf({ containers: [main], volumes }, { objects, tokens });
      const results: unknown[] = [];
      const faults = faultsOf((found) => {
        const environment = environmentOf(context, main, ["10.0.0.5"], found);
        const plans = volumesOf(context, found);
        const inputs = {
          volumes: plans,
          environment,
          podIPs: ["10.0.0.5"],
          imageVolumes: {},
          terminationMessagePath: undefined,
        };
        const { mounts } = mountsOf(context, main, inputs, found);
        results.push(environment, plans, mounts);
      });
      if (faults.length === 0) planned++;
      expect(inspect([faults, results], { depth: null })).not.toContain(secret);
      expect(
        JSON.stringify([faults, results], (_, value) => (typeof value === "bigint" ? String(value) : value)),
      ).not.toContain(secret);
    }),
    { numRuns: 500 },
  );
  expect(planned).toBeGreaterThan(0);
});
