import { expect, test } from "vitest";
import { Mount } from "../../../src/proto.js";
import { type MountSpec, readMounts, toMounts } from "../../../src/specs/mounts.js";
import { refusal } from "./refusal.js";

const at = { hostPath: "/h", containerPath: "/c" };

test.each<[MountSpec, object]>([
  [at, { hostPath: "/h", containerPath: "/c" }],
  [
    { ...at, readOnly: true, selinuxRelabel: true },
    { ...at, readonly: true, selinuxRelabel: true },
  ],
  [
    { ...at, readOnly: true, recursiveReadOnly: true },
    { ...at, readonly: true, recursiveReadOnly: true },
  ],
  [{ ...at, propagation: "private" }, at],
  [
    { ...at, propagation: "hostToContainer" },
    { ...at, propagation: "PROPAGATION_HOST_TO_CONTAINER" },
  ],
  [
    { ...at, propagation: "bidirectional" },
    { ...at, propagation: "PROPAGATION_BIDIRECTIONAL" },
  ],
  [
    { ...at, options: ["noexec"] },
    { ...at, mountOptions: ["noexec"] },
  ],
  [
    { ...at, uidMappings: [{ containerId: 0, hostId: 1000, length: 1 }] },
    { ...at, uidMappings: [{ hostId: 1000, length: 1 }] },
  ],
  [
    { image: "data:1", containerPath: "/c", subPath: "a/b" },
    {
      image: { image: "data:1", userSpecifiedImage: "data:1" },
      containerPath: "/c",
      readonly: true,
      imageSubPath: "a/b",
    },
  ],
  [
    { hostPath: "C:\\h", containerPath: "C:\\c" },
    { hostPath: "C:\\h", containerPath: "C:\\c" },
  ],
])("%o", (mount, expected) => {
  expect(toMounts(readMounts([mount], "m"), undefined).map((message) => Mount.toJSON(message))).toEqual([expected]);
});

test.each<[unknown, RegExp]>([
  ["/h:/c", /^m\[0\]: must be an object, got "\/h:\/c"/],
  [null, /^m\[0\]: must be an object/],
  [{ containerPath: "/c" }, /^m\[0\].hostPath: is required/],
  [{ hostPath: "/h" }, /^m\[0\].containerPath: is required/],
  [{ hostPath: "h", containerPath: "/c" }, /^m\[0\].hostPath: must be an absolute path, got "h"/],
  [{ hostPath: "/h", containerPath: "c" }, /^m\[0\].containerPath: must be an absolute path, got "c"/],
  [{ ...at, readonly: true }, /^m\[0\].readonly: unknown field; did you mean readOnly\?/],
  [{ ...at, subPath: "a" }, /^m\[0\].subPath: unknown field/],
  [{ ...at, recursiveReadOnly: true }, /^m\[0\].recursiveReadOnly: needs readOnly: true/],
  [
    { ...at, readOnly: true, recursiveReadOnly: true, propagation: "bidirectional" },
    /^m\[0\].recursiveReadOnly: works with propagation "private" only/,
  ],
  [{ ...at, propagation: "Bidirectional" }, /^m\[0\].propagation: .* did you mean "bidirectional"\?/],
  [{ ...at, image: "data" }, /^m\[0\]: has both hostPath and image/],
  [{ image: "data", containerPath: "/c", readOnly: false }, /^m\[0\].readOnly: cannot be false/],
  [{ image: "data", containerPath: "/c", subPath: "/a" }, /^m\[0\].subPath: must be a relative path/],
  [{ image: "", containerPath: "/c" }, /^m\[0\].image: must not be empty/],
  [{ image: "data", containerPath: "/c", propagation: "private" }, /^m\[0\].propagation: unknown field/],
])("refuses %o", (mount, expected) => {
  expect(refusal(() => readMounts([mount] as never, "m"))).toMatch(expected);
});

test.each<[string, string]>([
  ["/c", "/c"],
  ["/c", "/c/"],
  ["/c/d", "/c//./d/"],
  ["/", "//"],
])("refuses the second mount of %s and %s, which are the same path", (first, second) => {
  const mounts = [first, second].map((containerPath) => ({ hostPath: "/h", containerPath }));
  expect(refusal(() => readMounts(mounts, "spec.mounts"))).toMatch(
    /^spec.mounts\[1\].containerPath: is already used by spec.mounts\[0\]/,
  );
});

test("accepts mounts below other mounts", () => {
  const mounts = ["/", "/c", "/c/d", "/cd"].map((containerPath) => ({ hostPath: "/h", containerPath }));
  expect(readMounts(mounts, "spec.mounts")).toHaveLength(4);
});
