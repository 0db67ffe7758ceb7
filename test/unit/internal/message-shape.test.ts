import { describe, expect, it } from "vitest";
import { compileSchema, elementsOf } from "../../../scripts/lib/schema.js";
import { type FieldKind, type MessageType, shapeOf } from "../../../src/internal/message-shape.js";
import * as proto from "../../../src/proto.js";

const elements = elementsOf(compileSchema("proto"));
const generated = new Map<string, unknown>(Object.entries(proto));
const enums = new Set(elements.filter((element) => element.kind === "enum").map((element) => element.name));
const scalars: Record<string, FieldKind> = {
  string: "string",
  bool: "boolean",
  bytes: "bytes",
  int64: "int64",
  uint64: "uint64",
  int32: "int32",
  uint32: "uint32",
  double: "double",
  "map<string, string>": "map",
};

describe("shapes derived by probing", () => {
  it("match the schema for every field of every message", () => {
    const messages = elements.filter((element) => element.kind === "message");
    expect(messages.length).toBeGreaterThan(150);
    for (const message of messages) {
      const type = generated.get(message.name) as MessageType<unknown>;
      const expected = elements
        .filter((element) => element.kind === "field" && element.owner === message.name)
        .map(({ jsonName, type = "" }) => {
          const single = type.replace("repeated ", "");
          const kind = scalars[single] ?? (enums.has(single) ? "enum" : "message");
          return [jsonName, { kind, repeated: type.startsWith("repeated ") }];
        });
      expect(Object.fromEntries(shapeOf(type).fields), message.name).toEqual(Object.fromEntries(expected));
    }
  });

  it("include nested and repeated messages", () => {
    const mounts = shapeOf(proto.CreateContainerRequest).nested("config").nested("mounts");
    expect(mounts.fields.get("hostPath")).toEqual({ kind: "string", repeated: false });
    expect(mounts.nested("image").create()).toEqual(proto.ImageSpec.create());
    expect(mounts.enumNumber("propagation", "PROPAGATION_BIDIRECTIONAL")).toBe(2);
    expect(mounts.enumNames("propagation")).toEqual([
      "PROPAGATION_PRIVATE",
      "PROPAGATION_HOST_TO_CONTAINER",
      "PROPAGATION_BIDIRECTIONAL",
    ]);
  });

  it("create messages that share no objects", () => {
    const shape = shapeOf(proto.PodSandboxConfig);
    expect(shape.create().labels).not.toBe(shape.create().labels);
    expect(shape.create()).toEqual(proto.PodSandboxConfig.create());
  });
});
