import { ClientError, Status } from "nice-grpc-common";
import { describe, expect, test } from "vitest";
import { ListContainersResponse, Long, RuntimeServiceDefinition } from "../../../src/proto.js";
import {
  decodeReply,
  ReplyTotal,
  readReply,
  replyDecoding,
  replyLimits,
} from "../../../src/transport/reply-decoding.js";

const decoding =
  (limits = replyLimits(undefined)) =>
  (bytes: Uint8Array) =>
    decodeReply(ListContainersResponse, bytes, limits);

/** A list as it comes from a node of Kubernetes. */
function listOf(count: number): Uint8Array {
  const id = "a".repeat(64);
  const container = {
    id,
    podSandboxId: id,
    metadata: { name: "main", attempt: 1 },
    image: { image: `sha256:${id}` },
    imageRef: `sha256:${id}`,
    state: 1,
    createdAt: Long.fromString("1763877600123456789"),
    labels: {
      "io.kubernetes.container.name": "main",
      "io.kubernetes.pod.name": "web-5d4f8c7d9b-x2x9z",
      "io.kubernetes.pod.namespace": "default",
      "io.kubernetes.pod.uid": "1c8a52a6-22e4-4f2f-9c3d-1f6a7a3f2b10",
    },
    annotations: {
      "io.kubernetes.container.hash": "3f2b1c8a",
      "io.kubernetes.container.restartCount": "1",
      "io.kubernetes.container.terminationMessagePath": "/dev/termination-log",
      "io.kubernetes.container.terminationMessagePolicy": "File",
      "io.kubernetes.pod.terminationGracePeriod": "30",
    },
  };
  const one = ListContainersResponse.encode(ListContainersResponse.fromPartial({ containers: [container] })).finish();
  return Buffer.alloc(one.length * count, one);
}

describe("the limits of replies", () => {
  test("follow from the receive limit", () => {
    expect(replyLimits(undefined)).toEqual({ bytes: 80 * 2 ** 20, fields: 5 * 2 ** 19 });
    expect(replyLimits({ "grpc.max_receive_message_length": 2 ** 24 })).toEqual({ bytes: 2 ** 24, fields: 2 ** 19 });
    expect(replyLimits({ "grpc.max_receive_message_length": 100 })).toEqual({ bytes: 100, fields: 32_768 });
    const none = { bytes: Number.POSITIVE_INFINITY, fields: Number.POSITIVE_INFINITY };
    expect(replyLimits({ "grpc.max_receive_message_length": -1 })).toEqual(none);
  });

  test("leave room for 50,000 containers", () => {
    const bytes = listOf(50_000);
    expect(bytes.length).toBeLessThan(80 * 2 ** 20);
    expect(decoding()(bytes).containers).toHaveLength(50_000);
  });

  test("are kept exactly", () => {
    const limits = { bytes: 1_000_000, fields: 1_000 };
    expect(decoding(limits)(Buffer.alloc(2_000, "\n\0")).containers).toHaveLength(1_000);
    expect(() => decoding(limits)(Buffer.alloc(2_002, "\n\0"))).toThrow(/more fields than memory is meant for/);
  });

  test("hold for all replies of a list together, and name its RPC", () => {
    // Each reply counts as one field more than it has.
    const limits = { bytes: 1_000, fields: 402 };
    const { decode } = replyDecoding(RuntimeServiceDefinition, limits).methods.streamContainers.responseType;
    const reply = decode(Buffer.alloc(400, "\n\0"));
    const total = new ReplyTotal();
    total.add(reply);
    total.add(reply);
    expect(() => total.add(reply)).toThrow(ClientError);
    expect(() => total.add(reply)).toThrow(
      "/runtime.v1.RuntimeService/StreamContainers RESOURCE_EXHAUSTED: Received list",
    );
    // What did not come over the wire weighs nothing.
    new ReplyTotal().add({});
  });
});

describe("large replies", () => {
  const { listContainers } = replyDecoding(RuntimeServiceDefinition, replyLimits(undefined)).methods;
  const large = listOf(10_000);

  /** What a caller gets of a reply with these bytes. */
  async function received(bytes: Uint8Array, signal?: AbortSignal): Promise<ListContainersResponse> {
    return await readReply(listContainers.responseType.decode(bytes), signal);
  }

  test("are decoded as small ones are, in turns with everything else", async () => {
    let turns = 0;
    const count = () => {
      turns++;
      immediate = setImmediate(count);
    };
    let immediate = setImmediate(count);
    const reply = await received(large);
    clearImmediate(immediate);
    expect(reply).toEqual(decoding()(large));
    expect(turns).toBeGreaterThan(1);
  });

  test("fail as small ones do", async () => {
    const failure = await received(large.subarray(0, large.length - 1)).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ClientError);
    expect(failure).toMatchObject({
      code: Status.INTERNAL,
      path: "/runtime.v1.RuntimeService/ListContainers",
      details: expect.stringContaining("premature EOF"),
    });
  });

  test("end at a tag 0 as small ones do", async () => {
    const ended = Buffer.concat([large, Buffer.of(0), large]);
    expect((await received(ended)).containers).toHaveLength(10_000);
    // At the very end of what is decoded between two looks at the clock as well.
    for (const before of [31, 32, 33].map((kib) => kib * 1024 - 1)) {
      const exact = Buffer.concat([Buffer.alloc(before - (before % 2), "\n\0"), Buffer.alloc(200_000)]);
      expect((await received(exact)).containers).toHaveLength((before - (before % 2)) / 2);
    }
  });

  test("stop being decoded when nobody waits for them any more", async () => {
    const controller = new AbortController();
    const reading = received(large, controller.signal);
    const reason = new Error("enough");
    setImmediate(() => controller.abort(reason));
    await expect(reading).rejects.toBe(reason);
  });
});
