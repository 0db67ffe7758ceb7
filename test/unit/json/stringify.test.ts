import { deepStrictEqual } from "node:assert/strict";
import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Fields, type MessageType, shapeOf } from "../../../src/internal/message-shape.js";
import { messageFromJson } from "../../../src/json/message-json.js";
import { withToJson } from "../../../src/json/stringify.js";
import {
  ContainerStatus,
  Long,
  PodSandbox,
  PodSandboxState,
  PodSandboxStats,
  PodSandboxStatus,
  StreamImagesResponse,
} from "../../../src/proto.js";
import { anyMessage, normalized } from "./any-message.js";

const ready = () =>
  PodSandbox.fromPartial({
    id: "x",
    metadata: { name: "p", namespace: "default" },
    createdAt: "1763877600123456789",
    labels: { app: "web", state: "1" },
  });

describe("withToJson", () => {
  it("writes enums by name, 64-bit numbers as digits, bytes as base64, and fields at their default", () => {
    const pod = withToJson(PodSandbox, ready());
    expect(JSON.parse(JSON.stringify([pod]))).toEqual([
      {
        id: "x",
        metadata: { name: "p", uid: "", namespace: "default", attempt: 0 },
        state: "SANDBOX_READY",
        createdAt: "1763877600123456789",
        labels: { app: "web", state: "1" },
        annotations: {},
        runtimeHandler: "",
      },
    ]);
    expect(
      JSON.parse(JSON.stringify(withToJson(ContainerStatus, ContainerStatus.create({ state: 7 as never })))),
    ).toMatchObject({
      state: 7,
      stopSignal: "SIGNAL_RUNTIME_DEFAULT",
    });
  });

  it("does not change equality, spread, structuredClone, keys and util.inspect", () => {
    const pod = withToJson(PodSandbox, ready());
    deepStrictEqual(pod, ready());
    expect(pod).toStrictEqual(ready());
    expect({ ...pod }).not.toHaveProperty("toJSON");
    expect(Object.keys(structuredClone(pod))).toEqual(Object.keys(ready()));
    expect(inspect(pod)).toBe(inspect(ready()));
    expect(PodSandbox.encode(pod).finish()).toEqual(PodSandbox.encode(ready()).finish());
  });

  it("writes the present values, and those that the program has added", () => {
    const pod = withToJson(PodSandbox, ready());
    Object.assign(pod, { age: 5, labels: undefined, state: PodSandboxState.SANDBOX_NOTREADY });
    const json = JSON.parse(JSON.stringify(pod));
    expect(json).toMatchObject({ state: "SANDBOX_NOTREADY", age: 5 });
    expect(json).not.toHaveProperty("labels");
  });

  it("leaves a frozen message as it is", () => {
    const frozen = Object.freeze(ready());
    expect(withToJson(PodSandbox, frozen)).toBe(frozen);
  });

  it("writes messages in lists", () => {
    const reply = withToJson(
      StreamImagesResponse,
      StreamImagesResponse.fromPartial({ images: [{ id: "i", size: Long.fromNumber(7, true) }] }),
    );
    expect(JSON.parse(JSON.stringify(reply)).images).toMatchObject([{ id: "i", size: "7", repoTags: [] }]);
  });

  it("messageFromJson reads it back, whatever the status", () => {
    for (const type of [ContainerStatus, PodSandboxStatus, PodSandboxStats] as unknown as MessageType<Fields>[]) {
      fc.assert(
        fc.property(anyMessage(shapeOf(type)), (message) => {
          const text = JSON.stringify(withToJson(type, message));
          expect(normalized(messageFromJson(type, text))).toEqual(normalized(message));
        }),
        { numRuns: 20 },
      );
    }
  });
});
