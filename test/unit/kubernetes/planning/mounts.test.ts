import { describe, expect, it, test } from "vitest";
import type { ContainerManifest, PodManifestSpec, VolumeMountManifest } from "../../../../src/kubernetes/index.js";
import { environmentOf } from "../../../../src/kubernetes/planning/environment.js";
import { type MountInputs, mountsOf } from "../../../../src/kubernetes/planning/mounts.js";
import type { VolumePlan } from "../../../../src/kubernetes/planning/pod-plan-types.js";
import { ImageSpec, MountPropagation } from "../../../../src/proto.js";
import { contextOf, faultsOf, messagesOf, planned } from "./pod-context.js";

type Others = Parameters<typeof contextOf>[1];

const volumes: VolumePlan[] = [
  { kind: "emptyDir", name: "scratch", path: "/pods/uid/volumes/scratch", medium: "disk" },
  { kind: "files", source: "secret", name: "login", path: "/pods/uid/volumes/login", files: [] },
  { kind: "hostPath", name: "host", path: "/srv", type: "" },
];
const withImage: VolumePlan[] = [
  ...volumes,
  { kind: "image", name: "art", image: { reference: "art:1", pullPolicy: "Always" } },
];
const art = ImageSpec.create({ image: "sha256:art" });

interface Setup extends Partial<MountInputs> {
  container?: Partial<ContainerManifest>;
  spec?: Partial<PodManifestSpec>;
  others?: Others;
}

function prepare(volumeMounts: readonly VolumeMountManifest[], { container, spec, others, ...inputs }: Setup = {}) {
  const main: ContainerManifest = { name: "main", image: "app:1", volumeMounts, ...container };
  const context = contextOf({ containers: [main], ...spec }, others);
  const { podIPs = ["10.0.0.5"] } = inputs;
  return (faults: Parameters<typeof mountsOf>[3]) => {
    const environment = environmentOf(context, main, podIPs, faults);
    const facts = { volumes, imageVolumes: {}, terminationMessagePath: "/pods/uid/containers/main/0a1b2c3d" };
    return mountsOf(context, main, { ...facts, environment, podIPs, ...inputs }, faults);
  };
}

/** Returns the mounts of volumes: all but the hosts file and the termination message. */
function volumeMounts(mounts: readonly VolumeMountManifest[], setup?: Setup) {
  return planned(prepare(mounts, setup)).mounts.slice(0, mounts.length);
}

function faults(mount: VolumeMountManifest, setup?: Setup) {
  return messagesOf(faultsOf(prepare([mount], setup)));
}

describe("the mounts of a container", () => {
  it("are its volumes in their order, then the hosts file, then the termination message", () => {
    const mounts = [
      { name: "host", mountPath: "/b" },
      { name: "scratch", mountPath: "/a" },
    ];
    expect(planned(prepare(mounts)).mounts.map(({ containerPath, hostPath }) => [containerPath, hostPath])).toEqual([
      ["/b", "/srv"],
      ["/a", "/pods/uid/volumes/scratch"],
      ["/etc/hosts", "/pods/uid/etc-hosts"],
      ["/dev/termination-log", "/pods/uid/containers/main/0a1b2c3d"],
    ]);
  });

  it("do not contain the hosts file if a volume is mounted there", () => {
    const { mounts } = planned(prepare([{ name: "host", mountPath: "/etc/hosts" }]));
    expect(mounts.map(({ hostPath }) => hostPath)).toEqual(["/srv", "/pods/uid/containers/main/0a1b2c3d"]);
  });

  it("contain the hosts file once the pod has an address, or with hostNetwork", () => {
    const paths = (setup: Setup) => planned(prepare([], setup)).mounts.map(({ containerPath }) => containerPath);
    expect(paths({ podIPs: [] })).toEqual(["/dev/termination-log"]);
    expect(paths({ podIPs: [], spec: { hostNetwork: true } })).toEqual(["/etc/hosts", "/dev/termination-log"]);
  });

  it("contain the termination message at its path, if there is one", () => {
    const container = { terminationMessagePath: "/dev/custom" };
    expect(planned(prepare([], { container })).mounts.at(-1)?.containerPath).toBe("/dev/custom");
    const none = planned(prepare([], { terminationMessagePath: undefined }));
    expect(none.mounts.map(({ containerPath }) => containerPath)).toEqual(["/etc/hosts"]);
  });

  it("are read-only if they say so, or the volume consists of files or an image", () => {
    const mounts = [
      { name: "scratch", mountPath: "/a" },
      { name: "scratch", mountPath: "/b", readOnly: true },
      { name: "login", mountPath: "/c" },
      { name: "art", mountPath: "/d" },
    ];
    const all = volumeMounts(mounts, { volumes: withImage, imageVolumes: { art } });
    expect(all.map(({ readonly }) => readonly)).toEqual([false, true, true, true]);
  });

  test.each([
    [undefined, MountPropagation.PROPAGATION_PRIVATE],
    ["None", MountPropagation.PROPAGATION_PRIVATE],
    ["HostToContainer", MountPropagation.PROPAGATION_HOST_TO_CONTAINER],
    ["Bidirectional", MountPropagation.PROPAGATION_BIDIRECTIONAL],
  ] as const)("have the propagation %s", (mountPropagation, expected) => {
    const [mount] = volumeMounts([{ name: "host", mountPath: "/a", mountPropagation }]);
    expect(mount?.propagation).toBe(expected);
  });

  it("are absolute in the container", () => {
    expect(volumeMounts([{ name: "host", mountPath: "relative/path" }])[0]?.containerPath).toBe("/relative/path");
  });

  it("have the mappings of the pod's user namespace", () => {
    const others = { userNamespace: { hostId: 65536, length: 65536 } };
    for (const mount of planned(prepare([{ name: "host", mountPath: "/a" }], { others })).mounts) {
      expect(mount).toMatchObject({
        uidMappings: [{ hostId: 65536, containerId: 0, length: 65536 }],
        gidMappings: [{ hostId: 65536, containerId: 0, length: 65536 }],
      });
    }
    expect(volumeMounts([{ name: "host", mountPath: "/a" }])[0]).toMatchObject({ uidMappings: [], gidMappings: [] });
  });

  it("are relabelled with SELinux if this package made the files", () => {
    const mounts = [
      { name: "scratch", mountPath: "/a" },
      { name: "login", mountPath: "/b" },
      { name: "host", mountPath: "/c" },
    ];
    const relabelled = (selinuxEnabled: boolean) =>
      planned(prepare(mounts, { others: { node: { selinuxEnabled } } })).mounts.map((mount) => mount.selinuxRelabel);
    expect(relabelled(true)).toEqual([true, true, false, true, true]);
    expect(relabelled(false)).toEqual([false, false, false, false, false]);
  });

  it("contain the image of an image volume and its sub-path, and no path on the node", () => {
    const mounts = [
      { name: "art", mountPath: "/a" },
      { name: "art", mountPath: "/b", subPath: "dir/sub" },
    ];
    const { mounts: all, subPaths } = planned(prepare(mounts, { volumes: withImage, imageVolumes: { art } }));
    expect(all.slice(0, 2)).toMatchObject([
      { hostPath: "", image: art, imageSubPath: "" },
      { hostPath: "", image: art, imageSubPath: "dir/sub" },
    ]);
    expect(subPaths).toEqual([]);
  });

  it("refuse volumes that the pod does not have", () => {
    expect(faults({ name: "absent", mountPath: "/a" })).toEqual([
      'spec.containers[0].volumeMounts[0].name: names no volume of the pod, got "absent"',
    ]);
  });
});

describe("recursive read-only mounts", () => {
  const mount = (recursiveReadOnly: VolumeMountManifest["recursiveReadOnly"]): VolumeMountManifest => {
    return { name: "scratch", mountPath: "/a", readOnly: true, recursiveReadOnly };
  };
  const supported: Others = { node: { recursiveReadOnlyMounts: { "": true, kata: false } } };

  test.each([
    ["Disabled", supported, false],
    ["IfPossible", supported, true],
    ["Enabled", supported, true],
    ["IfPossible", {}, false],
    ["IfPossible", { ...supported, runtimeHandler: "kata" }, false],
  ] as const)("%s with %j", (mode, others, expected) => {
    expect(volumeMounts([mount(mode)], { others })[0]?.recursiveReadOnly).toBe(expected);
  });

  it("are refused where the runtime cannot make them, and on writable mounts", () => {
    const at = "spec.containers[0].volumeMounts[0].recursiveReadOnly";
    expect(faults(mount("Enabled"))).toEqual([`${at}: the runtime has no recursive read-only mounts; use IfPossible`]);
    expect(faults(mount("Enabled"), { others: { ...supported, runtimeHandler: "kata" } })).toEqual([
      `${at}: the runtime has no recursive read-only mounts for the handler kata; use IfPossible`,
    ]);
    const writable = { ...mount("IfPossible"), readOnly: false, mountPropagation: "HostToContainer" } as const;
    expect(faults(writable, { others: supported })).toEqual([
      `${at}: needs readOnly: true`,
      `${at}: needs mountPropagation: None`,
    ]);
  });
});

describe("sub-paths", () => {
  it("are mounted at a path of their own, by the index of the mount", () => {
    const mounts = [
      { name: "host", mountPath: "/a" },
      { name: "scratch", mountPath: "/b", subPath: "x//y/" },
    ];
    const { mounts: all, subPaths } = planned(prepare(mounts));
    expect(all[1]).toMatchObject({ hostPath: "/pods/uid/volume-subpaths/scratch/main/1", imageSubPath: "" });
    expect(subPaths).toEqual([
      {
        container: "main",
        volumePath: "/pods/uid/volumes/scratch",
        subPath: "x/y",
        path: "/pods/uid/volume-subpaths/scratch/main/1",
      },
    ]);
  });

  it("can contain variables of the container", () => {
    const container = { env: [{ name: "SUB", value: "s" }] };
    const mount = { name: "scratch", mountPath: "/b", subPathExpr: "$(SUB)/$$(SUB)" };
    expect(planned(prepare([mount], { container })).subPaths[0]?.subPath).toBe("s/$(SUB)");
    expect(
      planned(prepare([{ ...mount, subPathExpr: undefined, subPath: "$(SUB)" }], { container })).subPaths,
    ).toMatchObject([{ subPath: "$(SUB)" }]);
  });

  it("fail without a value for their variables", () => {
    const container = { env: [{ name: "EMPTY", value: "" }] };
    expect(faults({ name: "scratch", mountPath: "/b", subPathExpr: "$(A)/$(EMPTY)" }, { container })).toEqual([
      "spec.containers[0].volumeMounts[0].subPathExpr: refers to variables without a value: A, EMPTY; set them in env",
    ]);
  });

  test.each(["../a", "a/../b", "..", "/abs"])("must stay in their volume: %s", (path) => {
    const at = "spec.containers[0].volumeMounts[0]";
    expect(faults({ name: "scratch", mountPath: "/b", subPath: path })).toEqual([
      `${at}.subPath: must be a relative path without '..'`,
    ]);
    const container = { env: [{ name: "SECRET", value: path }] };
    expect(faults({ name: "scratch", mountPath: "/b", subPathExpr: "$(SECRET)" }, { container })).toEqual([
      `${at}.subPathExpr: must expand to a relative path without '..'`,
    ]);
  });
});
