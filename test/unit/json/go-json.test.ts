import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvalidInputError } from "../../../src/errors.js";
import { camelCase, snakeCase } from "../../../src/internal/field-names.js";
import { shapeOf } from "../../../src/internal/message-shape.js";
import { messageFromGoJson, messageToGoJson } from "../../../src/json/go-json.js";
import {
  ContainerConfig,
  ContainerStatus,
  ContainerStatusResponse,
  Long,
  PodSandboxConfig,
} from "../../../src/proto.js";
import { anyMessage, messageTypes, normalized } from "./any-message.js";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("messageFromGoJson", () => {
  it("reads a container file of crictl: plain environment values, and keys as in crictl's documentation", () => {
    const file = {
      metadata: { name: "busybox", attempt: 1 },
      image: { image: "busybox", user_specified_image: "busybox" },
      envs: ["/usr/bin:/bin", "xterm", "8080", "prod", "true", "info", "", "grün"].map((value) => ({
        key: "K",
        value,
      })),
      log_path: "busybox.log",
      linux: {
        resources: { memory_limit_in_bytes: 67108864, hugepage_limits: [{ page_size: "2MB", limit: 4194304 }] },
        security_context: { namespace_options: { pid: 1 }, run_as_user: { value: 1000 } },
      },
      CDI_devices: [{ name: "vendor.com/device=all" }],
    };
    const config = messageFromGoJson(ContainerConfig, file);
    expect(config.envs.map(({ value }) => Buffer.from(value).toString())).toEqual(file.envs.map(({ value }) => value));
    expect(config).toEqual(
      ContainerConfig.fromPartial({
        metadata: { name: "busybox", attempt: 1 },
        image: { image: "busybox", userSpecifiedImage: "busybox" },
        envs: file.envs.map(({ key, value }) => ({ key, value: bytes(value) })),
        logPath: "busybox.log",
        linux: {
          resources: {
            memoryLimitInBytes: 67108864,
            hugepageLimits: [{ pageSize: "2MB", limit: Long.fromNumber(4194304, true) }],
          },
          securityContext: { namespaceOptions: { pid: 1 }, runAsUser: { value: 1000 } },
        },
        CDIDevices: [{ name: "vendor.com/device=all" }],
      }),
    );
  });

  it("reads keys in any case, as Go does", () => {
    const expected = PodSandboxConfig.fromPartial({ metadata: { name: "a" }, logDirectory: "/l" });
    for (const json of [
      { Metadata: { Name: "a" }, LogDirectory: "/l" },
      { METADATA: { NAME: "a" }, LOG_DIRECTORY: "/l" },
      { metadata: { name: "a" }, logdirectory: "/l" },
    ]) {
      expect(messageFromGoJson(PodSandboxConfig, json)).toEqual(expected);
    }
  });

  it("reads the status that crictl inspect prints: times in RFC 3339, and the year 1 as not set", () => {
    const dump = {
      id: "x",
      state: "CONTAINER_EXITED",
      createdAt: "2026-11-28T10:00:00.123456789+01:00",
      startedAt: "2026-11-28T09:00:00Z",
      finishedAt: "0001-01-01T00:00:00Z",
      resources: null,
    };
    expect(messageFromGoJson(ContainerStatus, dump)).toEqual(
      ContainerStatus.fromPartial({
        id: "x",
        state: 2,
        createdAt: "1795856400123456789",
        startedAt: "1795856400000000000",
      }),
    );
  });

  it("reads the whole output of crictl inspect, and restores the map with the runtime's info", () => {
    const info = { pid: 42, config: { metadata: { name: "c" } } };
    const dump = { status: { id: "x" }, info };
    expect(messageFromGoJson(ContainerStatusResponse, dump).info).toEqual({ info: JSON.stringify(info) });
    expect(messageFromGoJson(ContainerStatusResponse, { info: { info: "{}" } }).info).toEqual({ info: "{}" });
    const large = '{"info":{"limit":9223372036854771712}}';
    expect(messageFromGoJson(ContainerStatusResponse, large).info).toEqual({ info: '{"limit":"9223372036854771712"}' });
  });

  it.each([
    ["nanoseconds", 5, "5"],
    ["digits", "1795856400123456789", "1795856400123456789"],
    ["a fraction of one digit", "1970-01-01T00:00:01.5Z", "1500000000"],
    ["more than nine digits", "1970-01-01T00:00:00.1234567899Z", "123456789"],
    ["a time before 1970", "1969-12-31T23:59:59.5Z", "-500000000"],
    ["a time zone west of UTC", "1969-12-31T19:00:01-05:00", "1000000000"],
    ["a leap day", "2028-02-29T00:00:00Z", "1835395200000000000"],
  ])("reads a time from %s", (_, createdAt, nanoseconds) => {
    expect(messageFromGoJson(ContainerStatus, { createdAt }).createdAt.toString()).toBe(nanoseconds);
  });

  it.each(["2026-02-30T00:00:00Z", "2026-11-28T24:00:00Z", "2026-11-28T10:00:00", "9999-01-01T00:00:00Z", "T"])(
    "refuses %s as a time",
    (createdAt) => {
      expect(() => messageFromGoJson(ContainerStatus, { createdAt })).toThrow(
        /createdAt: must be nanoseconds, or a time/,
      );
    },
  );

  it("refuses a time in place of a number, and an environment value that is no string, without showing it", () => {
    expect(() =>
      messageFromGoJson(ContainerConfig, { linux: { resources: { cpu_quota: "2026-11-28T10:00:00Z" } } }),
    ).toThrow(/cpu_quota: must be a whole number/);
    const secret = () => messageFromGoJson(ContainerConfig, { envs: [{ key: "A", value: 4711 }] });
    expect(secret).toThrow(/envs\[0\].value: must be a string, got a number/);
    expect(secret).not.toThrow(/4711/);
  });

  it.each([2 ** 31, 2 ** 32 - 1, -(2 ** 31) - 1])("refuses %d in place of an int32", (hostPort) => {
    const read = () => messageFromGoJson(PodSandboxConfig, { port_mappings: [{ host_port: hostPort }] });
    expect(read).toThrow(/port_mappings\[0\]\.host_port: is out of range for int32/);
  });

  it("refuses unknown keys, or ignores them with the option", () => {
    const file = { metadata: { name: "a" }, resources: {} };
    expect(() => messageFromGoJson(ContainerConfig, file)).toThrow(/resources: unknown field/);
    expect(messageFromGoJson(ContainerConfig, file, { ignoreUnknownFields: true }).metadata?.name).toBe("a");
  });

  it("reads 64-bit numbers from JSON text exactly", () => {
    const text = '{"linux":{"resources":{"memory_limit_in_bytes":9223372036854771712}}}';
    const config = messageFromGoJson(ContainerConfig, text);
    expect(config.linux?.resources?.memoryLimitInBytes.toString()).toBe("9223372036854771712");
  });
});

describe("messageToGoJson", () => {
  it("writes the format that crictl reads", () => {
    const config = ContainerConfig.fromPartial({
      metadata: { name: "c" },
      envs: [{ key: "PORT", value: bytes("8080") }],
      labels: { camelCase: "", log_path: "x" },
      logPath: "c.log",
      CDIDevices: [{ name: "a/b=c" }],
      linux: {
        resources: { memoryLimitInBytes: 67108864 },
        securityContext: { namespaceOptions: { pid: 1 }, runAsUser: { value: 0 }, readonlyRootfs: false },
      },
    });
    expect(messageToGoJson(ContainerConfig, config)).toEqual({
      metadata: { name: "c" },
      envs: [{ key: "PORT", value: "8080" }],
      labels: { camelCase: "", log_path: "x" },
      log_path: "c.log",
      CDI_devices: [{ name: "a/b=c" }],
      linux: {
        resources: { memory_limit_in_bytes: 67108864 },
        security_context: { namespace_options: { pid: 1 }, run_as_user: {} },
      },
    });
  });

  it("writes times in RFC 3339, and numbers that are not exact in JavaScript as digits", () => {
    const status = ContainerStatus.fromPartial({
      createdAt: "1795856400123456789",
      resources: { linux: { memoryLimitInBytes: "9223372036854771712" } },
    });
    expect(messageToGoJson(ContainerStatus, status)).toEqual({
      created_at: "2026-11-28T09:00:00.123456789Z",
      resources: { linux: { memory_limit_in_bytes: "9223372036854771712" } },
    });
  });

  it("refuses an environment value that is not UTF-8, or replaces it as Go does", () => {
    const config = ContainerConfig.fromPartial({ envs: [{ key: "A", value: Uint8Array.of(0xff, 0xfe, 0x41) }] });
    expect(() => messageToGoJson(ContainerConfig, config)).toThrow(InvalidInputError);
    expect(() => messageToGoJson(ContainerConfig, config)).toThrow(/envs\[0\].value: is not UTF-8/);
    expect(messageToGoJson(ContainerConfig, config, { replaceInvalidUtf8: true })).toEqual({
      envs: [{ key: "A", value: "\ufffd\ufffdA" }],
    });
  });
});

describe("field names", () => {
  const schema = readFileSync("proto/runtime/v1/api.proto", "utf8");
  const names = [...schema.matchAll(/^ {2}(?:repeated )?[\w.]+(?:<.*>)? (\w+) = \d+/gm)].map(([, name = ""]) => name);

  it("are unchanged after conversion to camelCase and back", () => {
    expect(names.length).toBeGreaterThan(450);
    expect(names.map((name) => snakeCase(camelCase(name)))).toEqual(names);
  });
});

describe("round trip", () => {
  const text = fc.string({ unit: "grapheme" }).map(bytes);

  it.each(messageTypes)("%s is unchanged after conversion to Go's JSON and back", (_name, type) => {
    fc.assert(
      fc.property(anyMessage(shapeOf(type), text), (message) => {
        const json = JSON.stringify(messageToGoJson(type, message));
        expect(messageFromGoJson(type, JSON.parse(json))).toEqual(normalized(message));
        expect(messageFromGoJson(type, json)).toEqual(normalized(message));
      }),
      { numRuns: 10 },
    );
  });
});
