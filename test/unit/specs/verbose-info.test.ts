import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../../src/json/message-json.js";
import {
  argsIn,
  environmentIn,
  mountsIn,
  networkNamespaceIn,
  parseVerboseInfo,
  pidIn,
  terminalIn,
} from "../../../src/specs/verbose-info.js";

/** The shape of containerd's and CRI-O's info. */
const info: JsonObject = {
  sandboxID: "x",
  pid: 4711,
  runtimeSpec: {
    process: {
      args: ["/bin/sleep", "infinity"],
      env: ["PATH=/bin", "A=1", "EQUALS=a=b", "EMPTY=", "A=2", "__proto__=x"],
    },
    mounts: [
      { destination: "/proc", type: "proc", source: "proc", options: ["nosuid"] },
      { destination: "/data", source: "/srv" },
    ],
    linux: {
      namespaces: [{ type: "pid" }, { type: "network", path: "/var/run/netns/cni-1" }],
      resources: { memory: { limit: 9_007_199_254_740_000 } },
    },
  },
};

describe("the verbose info", () => {
  it("has the process id, command line, environment, mounts and network namespace", () => {
    const parsed = parseVerboseInfo({ info: JSON.stringify(info) });
    expect(parsed).toEqual(info);
    expect(pidIn(parsed)).toBe(4711);
    expect(argsIn(parsed)).toEqual(["/bin/sleep", "infinity"]);
    expect(Object.entries(environmentIn(parsed)!)).toEqual([
      ["PATH", "/bin"],
      ["A", "2"],
      ["EQUALS", "a=b"],
      ["EMPTY", ""],
      ["__proto__", "x"],
    ]);
    expect(mountsIn(parsed)).toEqual([
      { destination: "/proc", type: "proc", source: "proc", options: ["nosuid"] },
      { destination: "/data", type: "", source: "/srv", options: [] },
    ]);
    expect(networkNamespaceIn(parsed)).toBe("/var/run/netns/cni-1");
  });

  it("tells whether the main process has a terminal, which the runtime spec leaves out if it has none", () => {
    expect(terminalIn(info)).toBe(false);
    expect(terminalIn({ runtimeSpec: { process: { terminal: true } } })).toBe(true);
    for (const unknown of [undefined, {}, { runtimeSpec: {} }, { runtimeSpec: { process: "x" } }]) {
      expect(terminalIn(unknown)).toBeUndefined();
    }
  });

  it("keeps integers exact that are too large for a JavaScript number, as strings", () => {
    expect(
      parseVerboseInfo({ info: '{"limit":9223372036854775807,"time":1763877600123456789,"n":[1000000000000000]}' }),
    ).toEqual({
      limit: "9223372036854775807",
      time: "1763877600123456789",
      n: [1_000_000_000_000_000],
    });
  });

  it.each<[string, Record<string, string>]>([
    ["none, as from cri-dockerd for a pod", {}],
    ["malformed", { info: '{"pid":1' }],
    ["an array", { info: "[1]" }],
    ["a string", { info: '"x"' }],
    ["null", { info: "null" }],
    ["nested too deeply", { info: `{"a":1000000000000000000,"b":${"[".repeat(100_000)}${"]".repeat(100_000)}}` }],
  ])("counts as not reported if it is %s", (_, map) => {
    const parsed = parseVerboseInfo(map);
    expect(parsed).toBeUndefined();
    for (const read of [pidIn, argsIn, environmentIn, mountsIn, networkNamespaceIn])
      expect(read(parsed)).toBeUndefined();
  });

  it.each<JsonObject>([
    { pid: 0 },
    { pid: -1 },
    { pid: "1" },
    { pid: 1.5 },
    { runtimeSpec: null },
    { runtimeSpec: { process: 1, mounts: {}, linux: [] } },
    { runtimeSpec: { process: { env: "A=1", args: {} }, linux: { namespaces: [null, { type: "network" }] } } },
  ])("ignores values of another type: %j", (other) => {
    for (const read of [pidIn, argsIn, environmentIn, mountsIn, networkNamespaceIn])
      expect(read(other)).toBeUndefined();
  });

  it("skips entries of lists that have another type", () => {
    const other: JsonObject = {
      runtimeSpec: { process: { env: [1, "A=1", null], args: ["a", {}] }, mounts: [null, {}] },
    };
    expect(environmentIn(other)).toEqual({ A: "1" });
    expect(argsIn(other)).toEqual(["a"]);
    expect(mountsIn(other)).toEqual([{ destination: "", type: "", source: "", options: [] }]);
  });
});
