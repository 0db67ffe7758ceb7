import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CriError, InvalidInputError } from "../../../src/errors.js";
import { type MessageType, shapeOf } from "../../../src/internal/message-shape.js";
import { messageFromJson, messageToJson } from "../../../src/json/message-json.js";
import * as proto from "../../../src/proto.js";
import { anyMessage, messageTypes, normalized } from "./any-message.js";

const { ContainerConfig, ContainerState, ContainerStatus, Image, Long, PodSandboxConfig, PullImageRequest } = proto;

// biome-ignore lint/suspicious/noExplicitAny: the tables below contain types of many messages
type AnyType = MessageType<any>;

function refusal(act: () => unknown): InvalidInputError {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidInputError);
    return error as InvalidInputError;
  }
  throw new Error("expected an InvalidInputError");
}

describe("messageToJson", () => {
  it("writes 64-bit numbers as digits, bytes as base64, enums by name, keys in camelCase", () => {
    const config = ContainerConfig.fromPartial({
      metadata: { name: "web" },
      logPath: "web.log",
      envs: [{ key: "A", value: Buffer.from("b") }],
      linux: { resources: { memoryLimitInBytes: "9223372036854775807" } },
      stopSignal: proto.Signal.SIGNAL_SIGQUIT,
    });
    expect(messageToJson(ContainerConfig, config)).toEqual({
      metadata: { name: "web" },
      logPath: "web.log",
      envs: [{ key: "A", value: "Yg==" }],
      linux: { resources: { memoryLimitInBytes: "9223372036854775807" } },
      stopSignal: "SIGNAL_SIGQUIT",
    });
  });

  it("keeps enum numbers without a name, at every position", () => {
    const unknown = 42 as proto.ContainerState;
    const status = ContainerStatus.fromPartial({
      state: unknown,
      mounts: [{}, { propagation: 9 as proto.MountPropagation }],
    });
    expect(messageToJson(ContainerStatus, status)).toEqual({ state: 42, mounts: [{}, { propagation: 9 }] });
    const nested = proto.ContainerStatusResponse.fromPartial({ status });
    expect(messageToJson(proto.ContainerStatusResponse, nested)).toMatchObject({ status: { state: 42 } });
  });

  it("does not change strings that look like an unknown enum", () => {
    const status = ContainerStatus.fromPartial({ reason: "UNRECOGNIZED", labels: { a: "UNRECOGNIZED" }, state: -1 });
    expect(messageToJson(ContainerStatus, status)).toEqual({
      reason: "UNRECOGNIZED",
      labels: { a: "UNRECOGNIZED" },
      state: -1,
    });
  });

  it("omits defaults", () => {
    expect(
      messageToJson(ContainerStatus, ContainerStatus.fromPartial({ state: ContainerState.CONTAINER_CREATED })),
    ).toEqual({});
  });

  it("does not change the message", () => {
    const status = ContainerStatus.fromPartial({ state: 42 as proto.ContainerState });
    const before = structuredClone(ContainerStatus.encode(status).finish());
    messageToJson(ContainerStatus, status);
    expect(ContainerStatus.encode(status).finish()).toEqual(before);
  });
});

describe("messageFromJson", () => {
  it("reads both spellings of keys", () => {
    const expected = PodSandboxConfig.fromPartial({ logDirectory: "/l", linux: { cgroupParent: "/c" } });
    expect(messageFromJson(PodSandboxConfig, { logDirectory: "/l", linux: { cgroupParent: "/c" } })).toEqual(expected);
    expect(messageFromJson(PodSandboxConfig, { log_directory: "/l", linux: { cgroup_parent: "/c" } })).toEqual(
      expected,
    );
    expect(messageFromJson(ContainerConfig, { CDI_devices: [{ name: "a/b=c" }] }).CDIDevices).toEqual([
      { name: "a/b=c" },
    ]);
  });

  it("reads null as not set, and fills in defaults", () => {
    expect(messageFromJson(PodSandboxConfig, { metadata: null, hostname: null, labels: null })).toEqual(
      PodSandboxConfig.create(),
    );
    expect(messageFromJson(PodSandboxConfig, {})).toEqual(PodSandboxConfig.create());
  });

  it.each([
    ["a name", "CONTAINER_EXITED", 2],
    ["a number", 2, 2],
    ["an unknown number", 42, 42],
    ["a negative number", -1, -1],
  ])("reads an enum from %s", (_, json, state) => {
    expect(messageFromJson(ContainerStatus, { state: json }).state).toBe(state);
  });

  it.each([["1700000000123456789"], ["-9223372036854775808"], [5], [-1]])("reads int64 %j", (json) => {
    expect(messageFromJson(ContainerStatus, { createdAt: json }).createdAt.toString()).toBe(String(json));
  });

  it("reads the largest uint64, unsigned", () => {
    const image = messageFromJson(Image, { size: "18446744073709551615" });
    expect(image.size).toEqual(Long.MAX_UNSIGNED_VALUE);
    expect(Image.decode(Image.encode(image).finish())).toEqual(image);
  });

  it("reads base64 in both alphabets, with and without padding", () => {
    for (const value of ["+/8=", "+/8", "-_8=", "-_8"]) {
      expect([...messageFromJson(proto.KeyValue, { value }).value]).toEqual([0xfb, 0xff]);
    }
  });

  it("reads 32-bit numbers from digits, and doubles from the names of special values", () => {
    expect(messageFromJson(ContainerStatus, { exitCode: "137" }).exitCode).toBe(137);
    expect(messageFromJson(proto.PsiData, { Avg10: 1.5, Avg60: "NaN", Avg300: "2.5e1" })).toMatchObject({
      Avg10: 1.5,
      Avg60: NaN,
      Avg300: 25,
    });
  });

  it("keeps map keys as they are", () => {
    const labels = JSON.parse('{"log_directory":"a","__proto__":"b","constructor":"c"}');
    const config = messageFromJson(PodSandboxConfig, { labels });
    expect(Object.entries(config.labels)).toEqual(Object.entries(labels));
    expect(Object.getPrototypeOf(config.labels)).toBe(Object.prototype);
    const written = messageToJson(PodSandboxConfig, config).labels as object;
    expect(Object.entries(written).sort()).toEqual(Object.entries(labels).sort());
  });

  it.each<[string, AnyType, unknown, string, RegExp]>([
    ["malformed JSON", PodSandboxConfig, "x", "json", /malformed JSON/],
    ["a number instead of a message", PodSandboxConfig, 1, "json", /must be an object, got 1/],
    [
      "an array instead of a message",
      PodSandboxConfig,
      { metadata: [] },
      "metadata",
      /must be an object, got an array/,
    ],
    ["a number instead of a string", PodSandboxConfig, { hostname: 5 }, "hostname", /must be a string, got 5/],
    ["a string instead of a boolean", ContainerConfig, { tty: "false" }, "tty", /must be true or false, got "false"/],
    ["a value instead of an array", ContainerConfig, { command: "sh" }, "command", /must be an array, got "sh"/],
    ["null in an array", ContainerConfig, { command: ["sh", null] }, "command[1]", /must be a string, got null/],
    [
      "an invalid element in a nested message",
      ContainerConfig,
      { mounts: [{}, { readonly: 1 }] },
      "mounts[1].readonly",
      /must be true or false, got 1/,
    ],
    ["a map with a number", PodSandboxConfig, { labels: { "a/b": 1 } }, 'labels["a/b"]', /must be a string, got 1/],
    [
      "a list instead of a map",
      PodSandboxConfig,
      { labels: ["a"] },
      "labels",
      /must be an object of strings, got an array/,
    ],
    ["an unknown key", PodSandboxConfig, { hostName: "a" }, "hostName", /unknown field; did you mean hostname\?/],
    [
      "a key that is like no other",
      PodSandboxConfig,
      { zzz: 1 },
      "zzz",
      /unknown field; known are metadata, hostname,/,
    ],
    ["a key for the prototype", PodSandboxConfig, JSON.parse('{"__proto__":{}}'), "__proto__", /unknown field/],
    [
      "a field that is set twice",
      PodSandboxConfig,
      { logDirectory: "a", log_directory: "b" },
      "log_directory",
      /is set twice, also as logDirectory/,
    ],
    [
      "an unknown enum name",
      ContainerStatus,
      { state: "PAUSED" },
      "state",
      /CONTAINER_CREATED, CONTAINER_RUNNING.*got "PAUSED"/,
    ],
    ["a shortened enum name", ContainerStatus, { state: "exited" }, "state", /did you mean CONTAINER_EXITED\?/],
    ["the name of no enum value", ContainerStatus, { state: "UNRECOGNIZED" }, "state", /must be a name of the enum/],
    ["an enum as digits", ContainerStatus, { state: "1" }, "state", /must be a name of the enum or its number/],
    [
      "an enum beyond 32 bits",
      ContainerStatus,
      { state: 2 ** 31 },
      "state",
      /must be a name of the enum or its number/,
    ],
    ["a fraction for int32", ContainerStatus, { exitCode: 1.5 }, "exitCode", /must be a whole number, got 1.5/],
    ["an int32 out of range", ContainerStatus, { exitCode: 2 ** 31 }, "exitCode", /out of range/],
    ["a negative uint32", proto.ContainerMetadata, { attempt: -1 }, "attempt", /out of range/],
    ["an inexact int64", ContainerStatus, { createdAt: 2 ** 60 }, "createdAt", /write it as a string of digits/],
    [
      "an int64 out of range",
      ContainerStatus,
      { createdAt: "9223372036854775808" },
      "createdAt",
      /out of range for int64/,
    ],
    ["a negative uint64", Image, { size: "-1" }, "size", /out of range for uint64/],
    ["a word for int64", ContainerStatus, { createdAt: "now" }, "createdAt", /must be a whole number \(int64\)/],
    ["a boolean for int64", ContainerStatus, { createdAt: true }, "createdAt", /must be a whole number/],
    ["a word for a double", proto.PsiData, { Avg10: "much" }, "Avg10", /must be a number, got "much"/],
    [
      "a list of int64 with a fraction",
      proto.LinuxContainerUser,
      { supplementalGroups: [1, 1.5] },
      "supplementalGroups[1]",
      /whole number/,
    ],
  ])("refuses %s", (_, type, json, field, message) => {
    const error = refusal(() => messageFromJson(type, json));
    expect(error.field).toBe(field);
    expect(error.message).toMatch(message);
    expect(CriError.is(error, "INVALID_INPUT")).toBe(true);
  });

  it("suggests messageFromGoJson for a plain string in a bytes field", () => {
    const envs = [{ key: "PATH", value: "/usr/bin:/bin" }];
    const error = refusal(() => messageFromJson(ContainerConfig, { envs }));
    expect(error.field).toBe("envs[0].value");
    expect(error.message).toContain("for plain strings, as in crictl's files, use messageFromGoJson");
  });

  it("ignores unknown keys with the option, at every depth, and still checks the known ones", () => {
    const json = { hostname: "a", resources: {}, linux: { namespaces: [], cgroup_parent: "/c" } };
    expect(messageFromJson(PodSandboxConfig, json, { ignoreUnknownFields: true })).toEqual(
      PodSandboxConfig.fromPartial({ hostname: "a", linux: { cgroupParent: "/c" } }),
    );
    expect(
      refusal(() => messageFromJson(PodSandboxConfig, { hostname: 1, x: 2 }, { ignoreUnknownFields: true })).field,
    ).toBe("hostname");
  });

  it("reads 64-bit numbers from JSON text exactly", () => {
    const text = '{"createdAt": 1700000000123456789, "labels": {"a": "1700000000123456789", "\\"": "\\" 1"}}';
    const status = messageFromJson(ContainerStatus, text);
    expect(status.createdAt.toString()).toBe("1700000000123456789");
    expect(status.labels).toEqual({ a: "1700000000123456789", '"': '" 1' });
    expect(refusal(() => messageFromJson(ContainerStatus, JSON.parse(text))).message).toContain(
      "pass the JSON text itself",
    );
  });

  it.each<[string, AnyType, string, string, RegExp]>([
    ["a string", PodSandboxConfig, '{"hostname":12345678901234567}', "hostname", /must be a string, got 1234/],
    ["a label", PodSandboxConfig, '{"labels":{"a":12345678901234567}}', "labels.a", /must be a string, got 1234/],
    ["a message", PodSandboxConfig, '{"metadata":12345678901234567}', "metadata", /must be an object, got 1234/],
    ["bytes", proto.KeyValue, '{"value":12345678901234567}', "value", /must be bytes in base64/],
    ["an enum", ContainerStatus, '{"state":12345678901234567}', "state", /must be a name of the enum/],
    ["an int32", ContainerStatus, '{"exitCode":12345678901234567}', "exitCode", /is out of range/],
    ["an int64 out of range", ContainerStatus, '{"createdAt":9223372036854775808}', "createdAt", /is out of range/],
    ["a number of a million digits", ContainerStatus, `{"createdAt":${"9".repeat(1e6)}}`, "createdAt", /whole number/],
  ])("refuses a large number in JSON text for %s", (_, type, text, field, message) => {
    const error = refusal(() => messageFromJson(type, text));
    expect(error.field).toBe(field);
    expect(error.message).toMatch(message);
  });

  it("reads large numbers in JSON text as doubles, and bigints in data", () => {
    expect(messageFromJson(proto.PsiData, '{"Avg10":12345678901234567,"Avg60":1.2345678901234567}')).toMatchObject({
      Avg10: 12345678901234568,
      Avg60: 1.2345678901234567,
    });
    expect(messageFromJson(ContainerStatus, { createdAt: 5n, exitCode: 7n })).toMatchObject({
      createdAt: Long.fromNumber(5),
      exitCode: 7,
    });
  });

  it("reads JSON text with a string of 16 MiB and a large number", () => {
    const hostname = `${'\\"'.repeat(2 ** 22)}\\`;
    const text = JSON.stringify({ hostname, labels: { a: hostname } });
    const json = `${text.slice(0, -1)},"linux":{"resources":{"memoryLimitInBytes":9223372036854771712}}}`;
    const config = messageFromJson(PodSandboxConfig, json);
    expect(config.hostname === hostname && config.labels.a === hostname).toBe(true);
    expect(config.linux?.resources?.memoryLimitInBytes.toString()).toBe("9223372036854771712");
  });

  it("refuses JSON text that is nested too deeply", () => {
    const text = `{"hostname":${"[".repeat(1e5)}12345678901234567${"]".repeat(1e5)}}`;
    expect(refusal(() => messageFromJson(PodSandboxConfig, text)).message).toContain("json: is nested too deeply");
  });

  it("does not quote malformed JSON text, which may contain secrets", () => {
    const { message } = refusal(() => messageFromJson(ContainerConfig, '{"envs": [{"value": "hunter2" hunter3'));
    expect(message).toMatch(/^\[INVALID_INPUT\] json: is malformed JSON at character \d+$/);
  });

  it("shows no secret in an error", () => {
    expect(refusal(() => messageFromJson(PullImageRequest, { auth: { password: 12345 } })).message).not.toContain(
      "12345",
    );
    const value = "not base64: hunter2";
    expect(refusal(() => messageFromJson(ContainerConfig, { envs: [{ key: "A", value }] })).message).not.toContain(
      "hunter2",
    );
  });
});

describe("round trip", () => {
  it.each(messageTypes)("%s is unchanged after conversion to JSON text and back", (_name, type) => {
    fc.assert(
      fc.property(anyMessage(shapeOf(type)), (message) => {
        const text = JSON.stringify(messageToJson(type, message));
        expect(messageFromJson(type, JSON.parse(text))).toEqual(normalized(message));
        expect(messageFromJson(type, text)).toEqual(normalized(message));
      }),
      { numRuns: 10 },
    );
  });
});
