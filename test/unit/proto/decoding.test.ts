/**
 * How the generated code decodes malformed bytes and boundary values. Replies cross a trust boundary: labels, annotations and
 * command output come from workloads.
 */
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileSchema, elementsOf } from "../../../scripts/lib/schema.js";
import * as proto from "../../../src/proto.js";

const {
  Container,
  ContainerState,
  ContainerStatus,
  ContainerStatusResponse,
  ExecSyncResponse,
  Image,
  ListContainersResponse,
  Long,
  PodSandbox,
  PodSandboxStatusResponse,
} = proto;

interface AnyMessage {
  encode(message: unknown): { finish(): Uint8Array };
  decode(bytes: Uint8Array): unknown;
  fromPartial(partial: object): unknown;
}

const allMessages = Object.entries(proto).filter((entry): entry is [string, AnyMessage & (typeof entry)[1]] => {
  const value: unknown = entry[1];
  return typeof value === "object" && value !== null && "decode" in value && "fromJSON" in value;
});

/** Bytes from numbers and from the UTF-8 of strings. */
function bytes(...parts: readonly (number | string | Uint8Array)[]): Uint8Array {
  return Uint8Array.from(
    parts.flatMap((part) =>
      typeof part === "number" ? [part] : [...(typeof part === "string" ? Buffer.from(part) : part)],
    ),
  );
}

/** A field with wire type 2: tag, length, content. */
function delimited(field: number, content: Uint8Array | string): Uint8Array {
  return new BinaryWriter().tag(field, 2).bytes(bytes(content)).finish();
}

/** A `map<string, string>` entry of the given field. */
function entry(field: number, key: string, value: string): Uint8Array {
  return delimited(field, bytes(delimited(1, key), delimited(2, value)));
}

describe("map keys that are also names of Object.prototype", () => {
  const labels = 5;

  it("never reach a prototype, because every map of the schema is string to string", () => {
    const maps = elementsOf(compileSchema("proto")).filter((element) => element.type?.startsWith("map<"));
    expect(maps.length).toBeGreaterThan(10);
    expect(new Set(maps.map((element) => element.type))).toEqual(new Set(["map<string, string>"]));
  });

  // Assigning a string to obj["__proto__"] has no effect, so the entry is lost. This is deliberate: to keep it, all labels and
  // annotations would have to be a Map instead of plain objects, and Kubernetes does not accept this key.
  it("drops __proto__ on decoding, without pollution and without an effect on other keys", () => {
    const decoded = PodSandbox.decode(
      bytes(entry(labels, "a", "1"), entry(labels, "__proto__", "polluted"), entry(labels, "b", "2")),
    );
    expect(decoded.labels).toEqual({ a: "1", b: "2" });
    expect(Object.getPrototypeOf(decoded.labels)).toBe(Object.prototype);
    expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
  });

  it("drops __proto__ in sent messages, too", () => {
    const sent = PodSandbox.fromPartial({ labels: JSON.parse('{"__proto__":"polluted","a":"1"}') });
    expect(Object.keys(sent.labels)).toEqual(["a"]);
    expect(Object.getPrototypeOf(sent.labels)).toBe(Object.prototype);
  });

  it("reads no message field from a polluting key", () => {
    const sent = PodSandbox.fromPartial(
      JSON.parse('{"__proto__":{"id":"polluted"},"constructor":{"prototype":{"id":"polluted"}}}'),
    );
    expect(sent.id).toBe("");
    expect(({} as { id?: string }).id).toBeUndefined();
  });

  it.each(["constructor", "toString", "hasOwnProperty", "valueOf", ""])("keeps %j as an own key, both ways", (key) => {
    const decoded = PodSandbox.decode(entry(labels, key, "value"));
    expect(Object.hasOwn(decoded.labels, key)).toBe(true);
    expect(decoded.labels[key]).toBe("value");
    expect(PodSandbox.decode(PodSandbox.encode(decoded).finish())).toEqual(decoded);
  });

  it("uses the last value of a repeated key", () => {
    expect(PodSandbox.decode(bytes(entry(labels, "a", "1"), entry(labels, "a", "2"))).labels).toEqual({ a: "2" });
  });
});

describe("values of a newer schema", () => {
  it("keeps an unknown enum number and sends it again", () => {
    const state = 6;
    const decoded = Container.decode(bytes((state << 3) | 0, 42));
    expect(decoded.state).toBe(42);
    expect(ContainerState[decoded.state]).toBeUndefined();
    expect([...Container.encode(decoded).finish()]).toEqual([(state << 3) | 0, 42]);
  });

  it("keeps a negative enum number", () => {
    const decoded = Container.decode(
      Container.encode(Container.fromPartial({ state: -7 as proto.ContainerState })).finish(),
    );
    expect(decoded.state).toBe(-7);
  });

  it.each([
    ["a varint", new BinaryWriter().tag(1000, 0).uint64("18446744073709551615").finish()],
    ["64 bits", new BinaryWriter().tag(1000, 1).double(1.5).finish()],
    ["bytes", delimited(1000, "whatever")],
    ["32 bits", new BinaryWriter().tag(1000, 5).float(1.5).finish()],
    ["a group", bytes(0x53, 0x08, 0x01, 0x54)],
  ])("skips an unknown field with %s", (_, unknown) => {
    expect(Container.decode(bytes(delimited(1, "c1"), unknown, delimited(2, "p1")))).toEqual(
      Container.fromPartial({ id: "c1", podSandboxId: "p1" }),
    );
  });

  it("skips a known field that has another wire type", () => {
    expect(Container.decode(bytes((1 << 3) | 0, 5, delimited(2, "p1")))).toEqual(
      Container.fromPartial({ podSandboxId: "p1" }),
    );
  });

  it("reads repeated numbers, packed or not", () => {
    const groups = proto.LinuxContainerUser;
    const packed = bytes(delimited(3, bytes(1, 2)));
    const single = bytes(0x18, 1, 0x18, 2);
    expect(groups.decode(packed).supplementalGroups.map(String)).toEqual(["1", "2"]);
    expect(groups.decode(single)).toEqual(groups.decode(packed));
  });
});

describe("64-bit numbers", () => {
  const edges = ["1700000000123456789", "9007199254740993", "9223372036854775807", "-9223372036854775808", "-1", "0"];

  it.each(edges)("keeps int64 %s to the last digit", (digits) => {
    const sent = ContainerStatus.fromPartial({ createdAt: digits });
    const decoded = ContainerStatus.decode(ContainerStatus.encode(sent).finish());
    expect(decoded.createdAt.toString()).toBe(digits);
    expect(decoded.createdAt.unsigned).toBe(false);
  });

  it("keeps the overflowed nanoseconds of the year 1 as a negative number", () => {
    const yearOne = "-6795364578871345152";
    const decoded = ContainerStatus.decode(
      ContainerStatus.encode(ContainerStatus.fromPartial({ finishedAt: yearOne })).finish(),
    );
    expect(decoded.finishedAt.toString()).toBe(yearOne);
    expect(decoded.finishedAt.lte(0)).toBe(true);
  });

  it("keeps the largest uint64", () => {
    const decoded = Image.decode(Image.encode(Image.fromPartial({ size: Long.MAX_UNSIGNED_VALUE })).finish());
    expect(decoded.size.toString()).toBe("18446744073709551615");
    expect(decoded.size.unsigned).toBe(true);
  });

  // A known limit of the generated fromPartial: it reads digits as signed, also for uint64, and sending then fails. An unsigned
  // Long works, and messageFromJson does not have this limit.
  it("needs an unsigned Long for numbers beyond int64 in sent messages", () => {
    const digits = "18446744073709551615";
    expect(() => Image.encode(Image.fromPartial({ size: digits }))).toThrow(/invalid uint64/);
    const sent = Image.fromPartial({ size: Long.fromString(digits, true) });
    expect(Image.decode(Image.encode(sent).finish()).size.toString()).toBe(digits);
  });

  it("accepts numbers, decimal strings and Long in sent messages", () => {
    for (const size of [5, "5", Long.fromNumber(5)]) expect(Image.fromPartial({ size }).size.toNumber()).toBe(5);
  });
});

describe("bytes and strings", () => {
  it("returns bytes as a Uint8Array with exactly the field", () => {
    const decoded = ExecSyncResponse.decode(bytes(delimited(1, bytes(0, 255, 128)), delimited(2, "err")));
    expect(decoded.stdout).toBeInstanceOf(Uint8Array);
    expect([...decoded.stdout]).toEqual([0, 255, 128]);
    expect(Buffer.from(decoded.stderr).toString()).toBe("err");
  });

  // Otherwise one container with an invalid label would make a whole list unreadable. Runtimes in Go refuse to send invalid UTF-8.
  it("replaces invalid UTF-8 in strings instead of refusing the message", () => {
    expect(Container.decode(delimited(1, bytes("a", 0xff, 0xfe, "b"))).id).toBe("a\u{fffd}\u{fffd}b");
    expect(Container.decode(delimited(1, bytes(0xc3))).id).toBe("\u{fffd}");
  });

  it("keeps a byte-order mark and NUL", () => {
    expect(Container.decode(delimited(1, "\u{feff}a\0b")).id).toBe("\u{feff}a\0b");
  });
});

describe("malformed replies", () => {
  const valid = ListContainersResponse.encode(
    ListContainersResponse.fromPartial({
      containers: [{ id: "c1", labels: { app: "web" }, image: { image: "busybox" }, createdAt: "1700000000123456789" }],
    }),
  ).finish();

  it("throws on a message that is truncated at any position except its start", () => {
    for (let length = 1; length < valid.length; length++) {
      expect(
        () => ListContainersResponse.decode(valid.subarray(0, length)),
        `${length} of ${valid.length} bytes`,
      ).toThrow(Error);
    }
  });

  it.each<[string, Uint8Array]>([
    ["a length far past the end", bytes(0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f)],
    ["a string length past the end", bytes(0x0a, 0x03, 0x0a, 0x7f, 0x61)],
    ["a varint that never ends", bytes(0x0a, ...Array<number>(20).fill(0xff))],
    ["a tag varint of eleven bytes", bytes(...Array<number>(11).fill(0x80), 0x01)],
    ["an int64 of eleven bytes", delimited(1, bytes(0x38, ...Array<number>(11).fill(0x80), 0x01))],
    ["wire type 6", bytes(0x0e, 1)],
    ["wire type 7", bytes(0x0f, 1)],
    ["an unfinished group", bytes(0x53, 0x08, 0x01)],
    ["64 bits cut short", bytes(0x51, 1, 2, 3)],
  ])("throws an Error on %s", (_, hostile) => {
    expect(() => ListContainersResponse.decode(hostile)).toThrow(Error);
  });

  // The schema has no recursive message, so only unknown groups can be nested without a limit.
  it("refuses groups nested more than 100 levels deep, before the stack overflows", () => {
    const deep = bytes(...Array<number>(100_000).fill(0x53));
    expect(() => Container.decode(deep)).toThrow(/recursion/);
  });

  // A known leniency of the generated code: tag 0 and a stray end of group end a message without an error.
  it.each<[string, number]>([
    ["tag 0", 0x00],
    ["a stray end of group", 0x0c],
  ])("stops reading at %s and keeps the fields before it", (_, tag) => {
    expect(Container.decode(bytes(delimited(1, "c1"), tag, delimited(2, "p1")))).toEqual(
      Container.fromPartial({ id: "c1" }),
    );
  });

  it("decodes zero bytes to the empty message", () => {
    expect(ContainerStatusResponse.decode(new Uint8Array())).toEqual({ status: undefined, info: {} });
  });

  it("decodes a megabyte of empty elements without delay", () => {
    const many = new Uint8Array(1 << 20);
    for (let at = 0; at < many.length; at += 2) many.set([0x0a, 0x00], at);
    expect(ListContainersResponse.decode(many).containers).toHaveLength(many.length / 2);
  });
});

describe("random bytes", () => {
  const prototypeBefore = Reflect.ownKeys(Object.prototype);

  /** Checks that decoding soon returns a value that can be encoded again, or throws an Error. */
  function decodesOrThrows(type: AnyMessage, input: Uint8Array): boolean {
    const started = performance.now();
    let decoded: unknown;
    try {
      decoded = type.decode(input);
    } catch (error) {
      return error instanceof Error;
    }
    type.encode(decoded).finish();
    return performance.now() - started < 2_000;
  }

  it.each(allMessages)("%s either decodes or throws an Error", (_, type) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (input) => decodesOrThrows(type, input)),
      { numRuns: 50 },
    );
    expect(Reflect.ownKeys(Object.prototype)).toEqual(prototypeBefore);
  });

  it("a valid message with changed bytes either decodes or throws an Error", () => {
    const real = PodSandboxStatusResponse.encode(
      PodSandboxStatusResponse.fromPartial({
        status: {
          id: "p1",
          metadata: { name: "n", uid: "u", namespace: "ns" },
          createdAt: "1700000000123456789",
          labels: { a: "b" },
        },
        info: { info: '{"pid":1}' },
        containersStatuses: [
          { id: "c1", mounts: [{ containerPath: "/a", hostPath: "/b" }], resources: { linux: { cpuQuota: -1 } } },
        ],
      }),
    ).finish();
    const change = fc.tuple(fc.nat({ max: real.length - 1 }), fc.nat({ max: 255 }));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), fc.nat({ max: real.length }), (changes, length) => {
        const input = real.slice(0, length);
        for (const [at, value] of changes) if (at < input.length) input[at] = value;
        return decodesOrThrows(PodSandboxStatusResponse as unknown as AnyMessage, input);
      }),
      { numRuns: 2_000 },
    );
    expect(Reflect.ownKeys(Object.prototype)).toEqual(prototypeBefore);
  });
});
