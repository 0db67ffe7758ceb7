/** What is read from the verbose info of Status. */
import { expect, test } from "vitest";
import { cgroupDriverIn, cniDirectoriesIn } from "../../../src/specs/runtime-info.js";

test("the cgroup driver is found in the configuration of containerd's default handler", () => {
  const config = (SystemdCgroup: unknown, rest = {}) => ({
    config: JSON.stringify({
      containerd: { defaultRuntimeName: "runc", runtimes: { runc: { options: { SystemdCgroup } } } },
      ...rest,
    }),
  });
  expect(cgroupDriverIn(config(true))).toBe("systemd");
  expect(cgroupDriverIn(config(false))).toBe("cgroupfs");
  expect(cgroupDriverIn(config(undefined, { systemdCgroup: true }))).toBe("systemd");
  const hostile = '{"containerd":{"defaultRuntimeName":{"toString":null},"runtimes":{}}}';
  for (const text of ["", "{", "[]", "{}", "null", hostile]) expect(cgroupDriverIn({ config: text })).toBeUndefined();
  expect(cgroupDriverIn({})).toBeUndefined();
  expect(cgroupDriverIn(config("yes"))).toBeUndefined();
});

test("the directories of networks are found in the configuration of containerd", () => {
  const directories = (cni: unknown) => cniDirectoriesIn({ config: JSON.stringify({ cni }) });
  expect(directories({ confDir: "/etc/cni/net.d", binDir: "/opt/cni/bin" })).toEqual({
    configuration: ["/etc/cni/net.d"],
    plugins: ["/opt/cni/bin"],
  });
  // containerd 2.1 sets binDirs, and an empty binDir.
  expect(directories({ confDir: "/net.d", binDir: "", binDirs: ["/a", "/b"] }).plugins).toEqual(["/a", "/b"]);
  for (const other of [undefined, null, 1, [], { confDir: 1, binDirs: "x" }]) {
    expect(directories(other)).toEqual({ configuration: [], plugins: [] });
  }
});
