import { inspect } from "node:util";
import { describe, expect, it, test } from "vitest";
import type { KubernetesObjects, PodManifestSpec, VolumeManifest } from "../../../../src/kubernetes/index.js";
import { volumesOf } from "../../../../src/kubernetes/planning/volumes.js";
import { contextOf, faultsOf, messagesOf, planned } from "./pod-context.js";

type Source = Omit<VolumeManifest, "name">;
type Others = Parameters<typeof contextOf>[1];

const objects: KubernetesObjects = {
  configMaps: [
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "settings", namespace: "shop" },
      data: { color: "blue", size: "42" },
      binaryData: { blob: "AAEC" },
    },
  ],
  secrets: [
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "login", namespace: "shop" },
      data: { password: "czNjcmV0" },
    },
  ],
};

function volume(source: Source, others: Others = {}, spec: Partial<PodManifestSpec> = {}) {
  const context = contextOf({ ...spec, volumes: [{ name: "v", ...source }] }, { objects, ...others });
  return planned((faults) => volumesOf(context, faults))[0]!;
}

/** Returns the files of a volume as `[path, content, mode]`. */
function files(source: Source, others?: Others, spec?: Partial<PodManifestSpec>) {
  const plan = volume(source, others, spec);
  if (plan.kind !== "files") return expect.fail(`is ${plan.kind}`);
  return plan.files.map(({ path, content, mode, uid }) => [
    path,
    Buffer.from(content).toString(),
    mode.toString(8),
    ...(uid === undefined ? [] : [uid]),
  ]);
}

function faults(source: Source, others: Others = {}, spec: Partial<PodManifestSpec> = {}) {
  const context = contextOf({ ...spec, volumes: [{ name: "v", ...source }] }, { objects, ...others });
  return messagesOf(faultsOf((faults) => volumesOf(context, faults)));
}

describe("the volumes of a pod", () => {
  test.each<[Source, object]>([
    [{}, { kind: "emptyDir", path: "/pods/uid/volumes/kubernetes.io~empty-dir/v", medium: "disk" }],
    [{ emptyDir: {} }, { kind: "emptyDir", path: "/pods/uid/volumes/kubernetes.io~empty-dir/v" }],
    [{ hostPath: { path: "/srv" } }, { kind: "hostPath", path: "/srv", type: "" }],
    [{ hostPath: { path: "/srv", type: "Directory" } }, { kind: "hostPath", type: "Directory" }],
    [
      { configMap: { name: "settings" } },
      { kind: "files", source: "configMap", path: "/pods/uid/volumes/kubernetes.io~configmap/v" },
    ],
    [
      { secret: { secretName: "login" } },
      { kind: "files", source: "secret", path: "/pods/uid/volumes/kubernetes.io~secret/v" },
    ],
    [{ downwardAPI: {} }, { source: "downwardAPI", path: "/pods/uid/volumes/kubernetes.io~downward-api/v" }],
    [{ projected: {} }, { source: "projected", path: "/pods/uid/volumes/kubernetes.io~projected/v" }],
    [
      { image: { reference: "files:1", pullPolicy: "Never" } },
      { kind: "image", image: { reference: "files:1", pullPolicy: "Never" } },
    ],
  ])("%j", (source, expected) => {
    expect(volume(source)).toMatchObject({ name: "v", ...expected });
  });

  it("belong to fsGroup, except host paths and images", () => {
    const spec = { securityContext: { fsGroup: 3000 } };
    expect(volume({ emptyDir: {} }, {}, spec)).toHaveProperty("fsGroup", 3000);
    expect(volume({ secret: { secretName: "login" } }, {}, spec)).toHaveProperty("fsGroup", 3000);
    expect(volume({ hostPath: { path: "/srv" } }, {}, spec)).not.toHaveProperty("fsGroup");
    expect(volume({ image: { reference: "files:1" } }, {}, spec)).not.toHaveProperty("fsGroup");
    expect(volume({ emptyDir: {} })).not.toHaveProperty("fsGroup");
  });
});

describe("emptyDir", () => {
  it("keeps the size limit of a disk", () => {
    expect(volume({ emptyDir: { sizeLimit: "1Gi" } })).toMatchObject({ medium: "disk", sizeLimitBytes: 2n ** 30n });
  });

  test.each<[string, { sizeLimit?: string; pod?: bigint }, bigint]>([
    ["the node's allocatable memory", {}, 4n * 2n ** 30n],
    ["the pod's memory limit", { pod: 2n ** 20n }, 2n ** 20n],
    ["its size limit", { sizeLimit: "16Mi", pod: 2n ** 30n }, 2n ** 24n],
    ["the pod's limit below the size limit", { sizeLimit: "16Mi", pod: 2n ** 20n }, 2n ** 20n],
    ["the node's memory below both", { sizeLimit: "1Ti", pod: 2n ** 40n }, 4n * 2n ** 30n],
    ["the pod's limit with a size limit of 0", { sizeLimit: "0", pod: 2n ** 20n }, 2n ** 20n],
  ])("limits memory to %s", (_, { sizeLimit, pod }, expected) => {
    const plan = volume({ emptyDir: { medium: "Memory", sizeLimit } }, { podMemoryLimitBytes: pod });
    expect(plan).toMatchObject({ medium: "memory", sizeLimitBytes: expected });
  });

  const requesting = (...sizes: string[]) => ({
    containers: sizes.map((size, index) => ({
      name: `c${index}`,
      image: "app:1",
      resources: { limits: { [`hugepages-${size}`]: size } },
    })),
  });

  test.each<[string, string[], bigint]>([
    ["HugePages", ["2Mi"], 2n ** 21n],
    ["HugePages", ["2Mi", "2048Ki"], 2n ** 21n],
    ["HugePages-2Mi", ["2Mi", "1Gi"], 2n ** 21n],
    ["HugePages-1Gi", ["2Mi", "1Gi"], 2n ** 30n],
  ])("of medium %s in a pod that requests %j has pages of %d bytes", (medium, sizes, pageSizeBytes) => {
    expect(volume({ emptyDir: { medium } }, {}, requesting(...sizes))).toMatchObject({
      medium: "hugePages",
      pageSizeBytes,
    });
  });

  test.each<[string, string[], string]>([
    ["HugePages", [], "no container requests huge pages; add a limit such as hugepages-2Mi"],
    [
      "HugePages",
      ["2Mi", "1Gi"],
      "the containers request several sizes of huge pages; name one, such as HugePages-2Mi",
    ],
    ["HugePages-1Gi", ["2Mi"], "no container requests huge pages of this size; add the limit hugepages-1Gi"],
    ["Tape", [], 'must be "", "Memory", "HugePages" or "HugePages-<size>", got "Tape"'],
  ])("refuses the medium %s in a pod that requests %j", (medium, sizes, message) => {
    const spec = requesting(...sizes);
    expect(faults({ emptyDir: { medium } }, {}, spec)).toEqual([`spec.volumes[0].emptyDir.medium: ${message}`]);
  });
});

describe("the files of a volume", () => {
  it("are all keys of a ConfigMap or a Secret, with mode 0644", () => {
    expect(files({ configMap: { name: "settings" } })).toEqual([
      ["color", "blue", "644"],
      ["size", "42", "644"],
      ["blob", "\0\x01\x02", "644"],
    ]);
    expect(files({ secret: { secretName: "login" } })).toEqual([["password", "s3cret", "644"]]);
  });

  it("are the chosen keys at their paths, with their modes or the volume's", () => {
    const items = [
      { key: "size", path: "deep/.//size/", mode: 0o400 },
      { key: "color", path: "color" },
    ];
    expect(files({ configMap: { name: "settings", items, defaultMode: 0o600 } })).toEqual([
      ["deep/size", "42", "400"],
      ["color", "blue", "600"],
    ]);
  });

  it("leave out optional objects and keys that are missing", () => {
    const items = [{ key: "absent", path: "a" }];
    expect(files({ configMap: { name: "absent", optional: true } })).toEqual([]);
    expect(files({ secret: { secretName: "absent", optional: true, items } })).toEqual([]);
    expect(files({ configMap: { name: "settings", optional: true, items } })).toEqual([]);
  });

  it("contain fields and resources of the pod", () => {
    const metadata = { labels: { b: "2", a: 'say "hi"' }, annotations: { note: "two\nlines" } };
    const items = [
      { path: "labels", fieldRef: { fieldPath: "metadata.labels" } },
      { path: "note", fieldRef: { fieldPath: "metadata.annotations['note']" }, mode: 0o440 },
      { path: "annotations", fieldRef: { fieldPath: "metadata.annotations" } },
      { path: "uid", fieldRef: { fieldPath: "metadata.uid" } },
      { path: "cpu", resourceFieldRef: { containerName: "main", resource: "limits.cpu", divisor: "1m" } },
    ];
    expect(files({ downwardAPI: { items } }, { metadata })).toEqual([
      ["labels", 'a="say \\"hi\\""\nb="2"', "644"],
      ["note", "two\nlines", "440"],
      ["annotations", 'kubernetes.io/config.source="api"\nnote="two\\nlines"', "644"],
      ["uid", "11111111-2222-3333-4444-555555555555", "644"],
      ["cpu", "2000", "644"],
    ]);
  });

  it("come from all sources of a projected volume; of equal paths, the last one", () => {
    const sources = [
      { configMap: { name: "settings", items: [{ key: "color", path: "a" }] } },
      { secret: { name: "login", items: [{ key: "password", path: "pw", mode: 0o400 }] } },
      { downwardAPI: { items: [{ path: "a", fieldRef: { fieldPath: "metadata.name" } }] } },
      { serviceAccountToken: { path: "token", audience: "vault" } },
      { serviceAccountToken: { path: "default-token" } },
    ];
    const tokens = [{ token: "plain" }, { audience: "vault", token: "for vault" }];
    expect(files({ projected: { sources, defaultMode: 0o440 } }, { tokens })).toEqual([
      ["a", "web", "440"],
      ["pw", "s3cret", "400"],
      ["token", "for vault", "440"],
      ["default-token", "plain", "440"],
    ]);
  });

  describe("with service account tokens", () => {
    const source = { projected: { sources: [{ serviceAccountToken: { path: "token" } }] } };
    const tokens = [{ token: "t" }];
    const user = (runAsUser?: number) => ({ name: `u${runAsUser}`, image: "app:1", securityContext: { runAsUser } });

    test.each<[string, Partial<PodManifestSpec>, unknown[]]>([
      ["no user", {}, ["644"]],
      ["the user of the pod", { securityContext: { runAsUser: 7 } }, ["600", 7]],
      ["the same user in all containers", { containers: [user(7)], initContainers: [user(7)] }, ["600", 7]],
      ["different users", { containers: [user(7), user(8)] }, ["644"]],
      ["one container without a user", { containers: [user(7), user()] }, ["644"]],
      ["a group", { securityContext: { fsGroup: 9 } }, ["600"]],
    ])("belong to %s", (_, spec, expected) => {
      expect(files(source, { tokens }, spec)).toEqual([["token", "t", ...expected]]);
    });
  });

  it("are not shown when they are printed", () => {
    const plan = volume({ secret: { secretName: "login" } });
    expect(inspect(plan, { depth: null })).not.toMatch(/115, 51|s3cret|73 33/);
    expect(JSON.stringify(plan)).not.toMatch(/115,51|"51":/);
    expect(inspect(plan, { depth: null })).toContain("password");
  });
});

describe("faults of volumes", () => {
  it("name each missing object, key and token and the place that refers to it, all at once", () => {
    const items = [
      { key: "colr", path: "a" },
      { key: "color", path: "b" },
    ];
    const sources = [
      { secret: { name: "absent" } },
      { configMap: { name: "settings", items } },
      { serviceAccountToken: { path: "token", audience: "vault" } },
      { serviceAccountToken: { path: "token" } },
      { downwardAPI: { items: [{ path: "ip", fieldRef: { fieldPath: "status.podIP" } }] } },
      {
        downwardAPI: { items: [{ path: "cpu", resourceFieldRef: { resource: "limits.cpu" } }] },
      },
    ];
    const path = "spec.volumes[0].projected.sources";
    expect(faults({ projected: { sources } }, { tokens: [{ audience: "other", token: "t" }] })).toEqual([
      `${path}[0].secret: Secret shop/absent is missing; add it to objects.secrets, or set optional: true`,
      `${path}[1].configMap.items[0].key: ConfigMap shop/settings has no key "colr"; did you mean "color"?`,
      `${path}[2].serviceAccountToken: needs a token for the audience vault; pass it in tokens, or remove this source`,
      `${path}[3].serviceAccountToken: needs a token without an audience; pass it in tokens, or remove this source`,
      `${path}[4].downwardAPI.items[0].fieldRef.fieldPath: is not supported here; use a path such as metadata.name or ` +
        `metadata.labels['app'], got "status.podIP"`,
      `${path}[5].downwardAPI.items[0].resourceFieldRef.containerName: names no container of the pod, got ""`,
    ]);
  });

  test.each(["../up", "a/../../b", "/abs", "", ".", "..data"])(
    "refuse the path %j, which leaves the volume",
    (path) => {
      expect(faults({ configMap: { name: "settings", items: [{ key: "color", path }] } })).toEqual([
        `spec.volumes[0].configMap.items[0].path: must be the relative path of a file, without '..', got ${JSON.stringify(path)}`,
      ]);
    },
  );
});
