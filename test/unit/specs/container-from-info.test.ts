import { describe, expect, test } from "vitest";
import { Long } from "../../../src/proto.js";
import { containerConfigFromInfo } from "../../../src/specs/container-from-info.js";

describe("containerConfigFromInfo", () => {
  test("reads the Go JSON of containerd", () => {
    const config = {
      metadata: { name: "web", attempt: 2 },
      image: { image: "sha256:abc", user_specified_image: "busybox:1" },
      envs: [{ key: "A", value: "b=c ä" }, { key: "EMPTY" }],
      working_dir: "/srv",
      log_path: "web.2.log",
      linux: { resources: { memory_limit_in_bytes: 67108864 }, security_context: { namespace_options: { pid: 1 } } },
    };
    const read = containerConfigFromInfo({ info: JSON.stringify({ sandboxID: "x", config }) });
    expect(read).toMatchObject({ metadata: { name: "web", attempt: 2 }, workingDir: "/srv", logPath: "web.2.log" });
    expect(read?.envs.map(({ key, value }) => [key, new TextDecoder().decode(value)])).toEqual([
      ["A", "b=c ä"],
      ["EMPTY", ""],
    ]);
    expect(read?.linux?.resources?.memoryLimitInBytes).toEqual(Long.fromNumber(67108864));
    expect(read?.linux?.securityContext?.namespaceOptions?.pid).toBe(1);
  });

  test("reads it next to a string of 16 MiB and a large number", () => {
    const config = '{"metadata":{"name":"web"},"linux":{"resources":{"memory_limit_in_bytes":9223372036854771712}}}';
    const read = containerConfigFromInfo({ info: `{"other":"${"x".repeat(2 ** 24)}","config":${config}}` });
    expect(read?.linux?.resources?.memoryLimitInBytes.toString()).toBe("9223372036854771712");
  });

  test.each([
    {},
    { info: "" },
    { info: "no json" },
    { info: "null" },
    { info: "{}" },
    { info: '{"config":null}' },
    { info: '{"config":{}}' },
  ])("returns undefined for %j", (info) => {
    expect(containerConfigFromInfo(info as unknown as Record<string, string>)).toBeUndefined();
  });
});
