import { describe, expect, test } from "vitest";
import { type Container, ContainerState, ListContainersResponse, Long } from "../../../src/proto.js";
import { Reply } from "../../../src/transport/reply.js";
import { replyLimits } from "../../../src/transport/reply-limits.js";
import { ReplyMemory } from "../../../src/transport/reply-memory.js";
import { EncodedMessage } from "../../../src/transport/same-fields.js";

const path = "/runtime.v1.RuntimeService/ListContainers";
const limits = replyLimits(undefined);

function container(id: string, changes: Partial<Container> = {}): Container {
  return ListContainersResponse.fromPartial({
    containers: [
      {
        id,
        podSandboxId: `pod-of-${id}`,
        metadata: { name: "main", attempt: 0 },
        image: { image: "busybox", annotations: { a: "1", b: "2" } },
        state: ContainerState.CONTAINER_RUNNING,
        createdAt: Long.fromString("1763877600123456789"),
        labels: { "io.kubernetes.pod.name": id, "io.kubernetes.pod.namespace": "default", app: "web" },
        annotations: { hash: "3f2b1c8a", restartCount: "1" },
        ...changes,
      },
    ],
  }).containers[0] as Container;
}

const encode = (containers: readonly Container[]) =>
  Buffer.from(ListContainersResponse.encode({ containers: [...containers] }).finish());

async function read(bytes: Uint8Array, memory?: ReplyMemory): Promise<Container[]> {
  const { containers } = await new Reply(ListContainersResponse, bytes, limits).read(path, undefined, memory);
  memory?.endList();
  return containers;
}

/** Turns a map around, as Go writes it in another order each time. */
const reversed = <T>(map: Record<string, T>) => Object.fromEntries(Object.entries(map).reverse());

describe("entries of a list that is fetched again", () => {
  test("are the same objects while they do not change, in any order", async () => {
    const memory = new ReplyMemory();
    const [a, b, c] = await read(encode(["a", "b", "c"].map((id) => container(id))), memory);
    const again = await read(encode(["c", "a", "b"].map((id) => container(id))), memory);
    expect([again[0] === c, again[1] === a, again[2] === b]).toEqual([true, true, true]);
  });

  test.each<[string, (one: Container) => Partial<Container>]>([
    ["the labels", ({ labels }) => ({ labels: reversed(labels) })],
    [
      "the labels and annotations",
      ({ labels, annotations }) => ({ labels: reversed(labels), annotations: reversed(annotations) }),
    ],
    [
      "a map in a nested message",
      ({ image }) => ({ image: image && { ...image, annotations: reversed(image.annotations) } }),
    ],
  ])("are the same objects if the runtime encodes %s in another order", async (_, change) => {
    const memory = new ReplyMemory();
    const one = container("a");
    const other = container("a", change(one));
    expect(encode([other]).equals(encode([one]))).toBe(false);
    const [first] = await read(encode([one]), memory);
    expect((await read(encode([other]), memory))[0]).toBe(first);
    expect((await read(encode([one]), memory))[0]).toBe(first);
  });

  test.each<[string, Partial<Container>]>([
    ["state", { state: ContainerState.CONTAINER_EXITED }],
    ["time", { createdAt: Long.fromString("1763877600123456788") }],
    [
      "value of a label",
      { labels: { "io.kubernetes.pod.name": "a", "io.kubernetes.pod.namespace": "default", app: "wep" } },
    ],
    ["value that moved to another label", { annotations: { hash: "1", restartCount: "3f2b1c8a" } }],
    ["map that moved to another field", { labels: { hash: "3f2b1c8a", restartCount: "1" } }],
    ["missing field", { imageId: "", podSandboxId: "" }],
  ])("are decoded again after a change: %s", async (_, change) => {
    const memory = new ReplyMemory();
    const [before, other] = await read(encode([container("a"), container("b")]), memory);
    const changed = encode([container("a", change), container("b")]);
    const [after, same] = await read(changed, memory);
    expect(after).not.toBe(before);
    expect(same).toBe(other);
    expect(after).toStrictEqual((await read(changed))[0]);
  });

  test("are forgotten once a list lacks them", async () => {
    const memory = new ReplyMemory();
    const [first] = await read(encode([container("a")]), memory);
    await read(encode([container("b")]), memory);
    expect((await read(encode([container("a")]), memory))[0]).not.toBe(first);
  });

  test("are the same objects in a reply that is decoded in slices, and in several replies of one list", async () => {
    const memory = new ReplyMemory();
    const all = Array.from({ length: 2_000 }, (_, index) => container(`id-${index}`));
    const before = await read(encode(all), memory);
    const parts = [all.slice(0, 700), all.slice(700)].map(
      (part) => new Reply(ListContainersResponse, encode(part), limits),
    );
    const after: Container[] = [];
    for (const part of parts) after.push(...(await part.read(path, undefined, memory)).containers);
    expect(after.every((one, index) => one === before[index])).toBe(true);
  });

  test("are exactly what a decoder without memory returns, also for unusual bytes", async () => {
    const entry = (bytes: number[]) => [10, bytes.length, ...bytes];
    const unusual: number[][] = [
      [],
      entry([]),
      entry([10, 0]),
      entry([18, 1, 97]),
      [...entry([10, 1, 97]), ...entry([10, 1, 97, 48, 1])],
      [...entry([10, 1, 97, 48, 1, 48, 2]), ...entry([10, 1, 97, 48, 2, 48, 1])],
      entry([10, 1, 97, 13, 1, 2, 3, 4]),
      entry([10, 1, 97, 11, 12]),
      entry([10, 1, 97, 12, 9]),
      [24, 5, ...entry([10, 1, 97]), 12],
      [10, 5, 10, 1],
      [10],
      entry([10, 200, 1, 97]),
      entry([10, 2, 195, 169]),
    ];
    const memory = new ReplyMemory();
    const outcome = (bytes: Buffer, used?: ReplyMemory) => read(bytes, used).catch((error: unknown) => String(error));
    for (const bytes of [...unusual, ...unusual].map((one) => Buffer.from(one))) {
      expect(await outcome(bytes, memory), bytes.toString("hex")).toStrictEqual(await outcome(bytes));
    }
  });
});

describe("encoded messages", () => {
  test("keep their bytes when the reply is overwritten", () => {
    const bytes = encode([container("a")]);
    const encoded = new EncodedMessage(bytes);
    const copy = Buffer.from(bytes);
    bytes.fill(0);
    expect(encoded.hasFieldsOf(copy, 0, copy.length)).toBe(true);
  });

  test("have the same fields if only maps are in another order", () => {
    const one = container("a");
    const [bytes, other] = [one, { ...one, labels: reversed(one.labels) }].map((each) => encode([each]).subarray(3));
    expect(other?.equals(bytes as Buffer)).toBe(false);
    expect(hasFields(bytes as Buffer, other as Buffer)).toBe(true);
  });

  test.each<[string, boolean, number[], number[]]>([
    ["strings in another order", true, [18, 1, 97, 18, 1, 97, 18, 1, 98], [18, 1, 98, 18, 1, 97, 18, 1, 97]],
    ["another number of equal strings", false, [18, 1, 97, 18, 1, 97, 18, 1, 98], [18, 1, 97, 18, 1, 98, 18, 1, 98]],
    ["numbers in another order", false, [48, 1, 48, 2], [48, 2, 48, 1]],
    [
      "a long string",
      true,
      [18, 1, 97, 34, 128, 1, ...Array(128).fill(0)],
      [34, 128, 1, ...Array(128).fill(0), 18, 1, 97],
    ],
    ["strings that only together have the same bytes", false, [18, 2, 18, 0, 26, 0], [18, 0, 26, 2, 18, 0]],
    ["malformed bytes", false, [18, 9, 97], [18, 9, 98]],
    ["fields of another kind", false, [18, 0, 13, 1, 2, 3, 4], [13, 1, 2, 3, 4, 18, 0]],
    [
      "too many fields",
      false,
      [26, 0, ...Array(150).fill([18, 0]).flat()],
      [...Array(150).fill([18, 0]).flat(), 26, 0],
    ],
  ])("compare every field: %s", (_, expected, a, b) => {
    expect(hasFields(Buffer.from(a), Buffer.from(b))).toBe(expected);
    expect(hasFields(Buffer.from(a), Buffer.from(a))).toBe(true);
  });
});

/** Compares the second message as a part of a larger reply. */
function hasFields(a: Buffer, b: Buffer): boolean {
  return new EncodedMessage(a).hasFieldsOf(
    Buffer.concat([Buffer.from("before"), b, Buffer.from("behind")]),
    6,
    6 + b.length,
  );
}
