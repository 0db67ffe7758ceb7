import { ClientError, Status } from "nice-grpc-common";
import { describe, expect, test } from "vitest";
import { ListContainersResponse, Long, RuntimeServiceDefinition } from "../../../src/proto.js";
import { Reply } from "../../../src/transport/reply.js";
import { replyDecoding, replyOf } from "../../../src/transport/reply-decoding.js";
import { ListSize, type ReplyLimits, replyLimits } from "../../../src/transport/reply-limits.js";

function decode(bytes: Uint8Array, limits = replyLimits(undefined)): ListContainersResponse {
  return new Reply(ListContainersResponse, bytes, limits).decodeAll();
}

/** A list as a Kubernetes node returns it. */
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

describe("limits of replies", () => {
  test("derive from the receive limit", () => {
    expect(replyLimits(undefined)).toEqual({ bytes: 80 * 2 ** 20, fields: 5 * 2 ** 19 });
    expect(replyLimits({ "grpc.max_receive_message_length": 2 ** 24 })).toEqual({ bytes: 2 ** 24, fields: 2 ** 19 });
    expect(replyLimits({ "grpc.max_receive_message_length": 100 })).toEqual({ bytes: 100, fields: 32_768 });
    const none = { bytes: Number.POSITIVE_INFINITY, fields: Number.POSITIVE_INFINITY };
    expect(replyLimits({ "grpc.max_receive_message_length": -1 })).toEqual(none);
  });

  test("leave room for 50,000 containers", () => {
    const bytes = listOf(50_000);
    expect(bytes.length).toBeLessThan(80 * 2 ** 20);
    expect(decode(bytes).containers).toHaveLength(50_000);
  });

  test("are exact", () => {
    const limits = { bytes: 1_000_000, fields: 1_000 };
    expect(decode(Buffer.alloc(2_000, "\n\0"), limits).containers).toHaveLength(1_000);
    expect(() => decode(Buffer.alloc(2_002, "\n\0"), limits)).toThrow("more fields than allowed (1000)");
  });

  test.each<[string, ReplyLimits]>([
    // Each reply itself counts as one more field.
    ["fields", { bytes: 1_000_000, fields: 402 }],
    ["bytes", { bytes: 800, fields: 1_000_000 }],
  ])("apply to all replies of a list together: %s", (_, limits) => {
    const reply = new Reply(ListContainersResponse, Buffer.alloc(400, "\n\0"), limits);
    reply.decodeAll();
    const list = new ListSize("/runtime.v1.RuntimeService/StreamContainers");
    list.add(reply);
    list.add(reply);
    expect(() => list.add(reply)).toThrow(ClientError);
    expect(() => list.add(reply)).toThrow(
      "/runtime.v1.RuntimeService/StreamContainers RESOURCE_EXHAUSTED: Received list larger than max",
    );
  });
});

describe("large replies", () => {
  const { listContainers } = replyDecoding(RuntimeServiceDefinition, replyLimits(undefined)).methods;
  const path = "/runtime.v1.RuntimeService/ListContainers";
  const large = listOf(10_000);

  async function received(bytes: Uint8Array, signal?: AbortSignal): Promise<ListContainersResponse> {
    return await replyOf(listContainers.responseType.decode(bytes)).read(path, signal);
  }

  test("are decoded like small ones, while the event loop does other work in between", async () => {
    let turns = 0;
    const count = () => {
      turns++;
      immediate = setImmediate(count);
    };
    let immediate = setImmediate(count);
    const reply = await received(large);
    clearImmediate(immediate);
    expect(reply).toEqual(decode(large));
    expect(turns).toBeGreaterThan(1);
  });

  test("fail like small ones", async () => {
    const failure = await received(large.subarray(0, large.length - 1)).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ClientError);
    expect(failure).toMatchObject({
      code: Status.INTERNAL,
      path,
      details: expect.stringContaining("premature EOF"),
    });
  });

  test("end at a tag 0 like small ones", async () => {
    const ended = Buffer.concat([large, Buffer.of(0), large]);
    expect((await received(ended)).containers).toHaveLength(10_000);
    // The tag may also be the last byte of a slice.
    for (const before of [31, 32, 33].map((kib) => kib * 1024 - 1)) {
      const exact = Buffer.concat([Buffer.alloc(before - (before % 2), "\n\0"), Buffer.alloc(200_000)]);
      expect((await received(exact)).containers).toHaveLength((before - (before % 2)) / 2);
    }
  });

  test("are no longer decoded after the call was aborted", async () => {
    const controller = new AbortController();
    const reading = received(large, controller.signal);
    const reason = new Error("enough");
    setImmediate(() => controller.abort(reason));
    await expect(reading).rejects.toBe(reason);
  });
});
