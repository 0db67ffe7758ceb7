import { ClientError } from "nice-grpc-common";
import { describe, expect, test } from "vitest";
import { ListContainersResponse, Long, RuntimeServiceDefinition } from "../../../src/proto.js";
import { boundedDecoding, ReplyTotal, replyLimits } from "../../../src/transport/bounded-decoding.js";

const decoding = (limits = replyLimits(undefined)) => {
  const { decode } = boundedDecoding(RuntimeServiceDefinition, limits).methods.listContainers.responseType;
  return (bytes: Uint8Array) => decode(bytes) as ListContainersResponse;
};

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
    expect(replyLimits(undefined)).toEqual({ bytes: 80 * 2 ** 20, marks: 5 * 2 ** 20 });
    expect(replyLimits({ "grpc.max_receive_message_length": 2 ** 24 })).toEqual({ bytes: 2 ** 24, marks: 2 ** 20 });
    expect(replyLimits({ "grpc.max_receive_message_length": 100 })).toEqual({ bytes: 100, marks: 65_536 });
    const none = { bytes: Number.POSITIVE_INFINITY, marks: Number.POSITIVE_INFINITY };
    expect(replyLimits({ "grpc.max_receive_message_length": -1 })).toEqual(none);
  });

  test("leave room for 50,000 containers", () => {
    const bytes = listOf(50_000);
    expect(bytes.length).toBeLessThan(80 * 2 ** 20);
    expect(decoding()(bytes).containers).toHaveLength(50_000);
  });

  test("are kept exactly", () => {
    // Two to a container: its tag and its length.
    const limits = { bytes: 1_000_000, marks: 2_000 };
    expect(decoding(limits)(Buffer.alloc(2_000, "\n\0")).containers).toHaveLength(1_000);
    expect(() => decoding(limits)(Buffer.alloc(2_002, "\n\0"))).toThrow(/more fields than memory is meant for/);
  });

  test("hold for all replies of a list together, and name its RPC", () => {
    const limits = { bytes: 1_000, marks: 800 };
    const reply = decoding(limits)(Buffer.alloc(400, "\n\0"));
    const total = new ReplyTotal();
    total.add(reply);
    total.add(reply);
    expect(() => total.add(reply)).toThrow(ClientError);
    expect(() => total.add(reply)).toThrow(
      "/runtime.v1.RuntimeService/ListContainers RESOURCE_EXHAUSTED: Received list",
    );
    // What did not come over the wire weighs nothing.
    new ReplyTotal().add({});
  });
});
