/** What the arguments and options of commands stand for. */
import { describe, expect, test } from "vitest";
import { parsePath } from "../../../src/cli/commands/cp/paths.js";
import { parsePorts } from "../../../src/cli/commands/port-forward.js";
import { pastTime } from "../../../src/cli/values.js";

describe("paths of cp", () => {
  test.each([
    ["web:/etc", { name: "web", path: "/etc" }],
    ["shop/web/nginx:/a:b", { name: "shop/web/nginx", path: "/a:b" }],
    ["c:/etc", "c:/etc"],
    ["C:\\data", "C:\\data"],
    ["./a:b", "./a:b"],
    ["../a:b", "../a:b"],
    ["/a:b", "/a:b"],
    ["site", "site"],
    ["-", "-"],
  ])("%s", (text, parsed) => {
    expect(parsePath(text)).toEqual(parsed);
  });

  test.each(["", ":/etc", "web:"])("%j is refused", (text) => {
    expect(() => parsePath(text)).toThrow(/path must not be empty|must be CONTAINER:PATH/);
  });
});

describe("ports of port-forward", () => {
  test.each([
    ["80", { local: 80, remote: 80 }],
    ["8080:80", { local: 8080, remote: 80 }],
    [":80", { local: 0, remote: 80 }],
    ["0:65535", { local: 0, remote: 65_535 }],
  ])("%s", (text, ports) => {
    expect(parsePorts(text)).toEqual(ports);
  });

  test.each(["", ":", "0", "80:0", "65536", "65536:80", "80/udp", "-1", "1:2:3", "x"])("%j are refused", (text) => {
    expect(() => parsePorts(text)).toThrow(/ports must be REMOTE, LOCAL:REMOTE or :REMOTE/);
  });
});

describe("times", () => {
  test("are RFC 3339, to the nanosecond, or durations before now", () => {
    expect(pastTime("2026-11-29T10:00:00.123456789Z")).toBe("2026-11-29T10:00:00.123456789Z");
    const before = Date.now() - 90_000;
    const time = Number(pastTime("1m30s"));
    expect(time).toBeGreaterThanOrEqual(before);
    expect(time).toBeLessThanOrEqual(Date.now() - 90_000);
  });

  test.each(["", "soon", "-5m", "5", "2026-11-29", "2026-13-29T10:00:00Z"])("%j is refused", (text) => {
    expect(() => pastTime(text)).toThrow(/duration before now/);
  });
});
