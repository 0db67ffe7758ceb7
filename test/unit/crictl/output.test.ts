import { describe, expect, test } from "vitest";
import {
  fromCrictlImages,
  fromCrictlInspect,
  fromCrictlInspecti,
  fromCrictlInspectp,
  fromCrictlPods,
  fromCrictlPs,
} from "../../../src/crictl/index.js";
import type { DocumentFault } from "../../../src/errors.js";
import { InvalidDocumentError } from "../../../src/errors.js";
import { Container, ContainerState, Long, PodSandboxState } from "../../../src/proto.js";

const container = {
  id: "x",
  metadata: { name: "c", attempt: 1 },
  state: "CONTAINER_EXITED",
  createdAt: "2026-11-28T10:00:00.123456789+01:00",
  startedAt: "2026-11-28T10:00:01+01:00",
  finishedAt: "0001-01-01T00:00:00Z",
  stopSignal: "SIGTERM",
  exitCode: 3,
};
const info = {
  pid: 42,
  config: { metadata: { name: "c" }, envs: [{ key: "K", value: "8080" }] },
  big: 0,
};
const text = JSON.stringify({ status: container, info }).replace(`"big":0`, `"big":9007199254740993`);

describe("fromCrictlInspect", () => {
  test("reads times in any time zone, states by name, signals, and the verbose info", () => {
    const [inspection, ...others] = fromCrictlInspect(text);
    expect(others).toEqual([]);
    expect(inspection?.status).toMatchObject({
      id: "x",
      state: ContainerState.CONTAINER_EXITED,
      createdAt: Long.fromString("1795856400123456789"),
      finishedAt: Long.ZERO,
      exitCode: 3,
    });
    expect(inspection?.config?.envs[0]?.value).toEqual(new TextEncoder().encode("8080"));
    expect(inspection?.info.info).toContain('"big":9007199254740993}');
    expect(inspection?.details?.big).toBe("9007199254740993");
    expect(JSON.parse(JSON.stringify(inspection)).status.state).toBe("CONTAINER_EXITED");
  });

  test("reads the output for several containers, parsed output, and YAML", () => {
    const two = [{ status: container }, { status: { ...container, id: "y" }, sandboxId: "text" }];
    expect(fromCrictlInspect(two).map(({ status }) => status.id)).toEqual(["x", "y"]);
    expect(fromCrictlInspect(two)[1]?.info).toEqual({ sandboxId: "text" });
    const yaml = 'status:\n  id: x\n  state: CONTAINER_RUNNING\n  createdAt: "2026-11-28T10:00:00Z"\ninfo:\n  pid: 7\n';
    expect(fromCrictlInspect(yaml)[0]?.pid).toBe(7);
  });

  test("ignores unknown fields, and reports them with their places", () => {
    const ignored: DocumentFault[] = [];
    const lines = JSON.stringify({ status: { ...container, novelty: 1 } }, undefined, 1);
    fromCrictlInspect(lines, { onIgnored: (fault) => ignored.push(fault) });
    expect(ignored).toEqual([
      {
        path: "status.novelty",
        line: lines.slice(0, lines.indexOf("novelty")).split("\n").length,
        column: 3,
        message: expect.stringContaining("unknown field"),
      },
    ]);
  });

  test.each([
    ["the table of crictl ps", "CONTAINER  IMAGE\n1234  busybox", "must be an object, got a string"],
    ["the output of another command", JSON.stringify({ containers: [] }), "status: must be an object, got undefined"],
    [
      "a state of another type",
      JSON.stringify({ status: { state: "SANDBOX_READY" } }),
      "status.state: must be a name of the enum",
    ],
    ["malformed JSON", `${text}}`, "is not valid YAML"],
  ])("refuses %s", (_, output, message) => {
    expect(() => fromCrictlInspect(output)).toThrow(InvalidDocumentError);
    expect(() => fromCrictlInspect(output)).toThrow(message);
  });
});

test("fromCrictlInspectp and fromCrictlInspecti read pods and images", () => {
  const pod = { id: "p", state: "SANDBOX_NOTREADY", createdAt: "2026-11-28T10:00:00Z", metadata: { name: "p" } };
  expect(fromCrictlInspectp({ status: pod, info: { pid: 0 } })[0]?.status.state).toBe(PodSandboxState.SANDBOX_NOTREADY);
  const [image] = fromCrictlInspecti({
    status: { id: "sha256:1", size: "5", repoTags: ["a:1"] },
    info: { chainID: "c" },
  });
  expect(image).toMatchObject({
    image: { id: "sha256:1", size: Long.fromNumber(5, true) },
    info: { info: '{"chainID":"c"}' },
  });
});

describe("lists", () => {
  test("are read from the output of crictl ps, pods and images", () => {
    const listed = { ...container, createdAt: "1795856400123456789", image: { image: "i" }, labels: { a: "b" } };
    const { startedAt, finishedAt, stopSignal, exitCode, ...fields } = listed;
    expect(fromCrictlPs({ containers: [fields] })).toEqual([Container.fromJSON(fields)]);
    expect(fromCrictlPods({ items: [{ id: "p", state: "SANDBOX_READY" }] })).toMatchObject([{ id: "p", state: 0 }]);
    expect(fromCrictlImages('{"images":[{"id":"sha256:1"}]}')).toMatchObject([{ id: "sha256:1" }]);
    expect(fromCrictlPs({ containers: [] })).toEqual([]);
  });

  test("refuse other output, and name all faults", () => {
    expect(() => fromCrictlPs({ items: [] })).toThrow(
      "must have the list containers, as `crictl ps -o json` prints it",
    );
    expect(() => fromCrictlPods([])).toThrow("must have the list items");
    const faulty = () => fromCrictlImages({ images: [{ size: "x" }, { pinned: 1 }] });
    expect(faulty).toThrow(/images\[0\]\.size: must be a whole number.*images\[1\]\.pinned: must be true or false/s);
  });
});
