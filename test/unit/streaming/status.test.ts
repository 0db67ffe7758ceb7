import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseRemoteStatus } from "../../../src/streaming/status.js";

const nonZero = (message: string, code: string) => ({
  status: "Failure",
  message,
  reason: "NonZeroExitCode",
  details: { causes: [{ reason: "ExitCode", message: code }] },
});

describe("parseRemoteStatus", () => {
  test.each([
    ["success", { status: "Success" }],
    ["a complete metav1.Status", { metadata: {}, status: "Success" }],
    ["a complete metav1.Status with a kind", { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success" }],
  ])("%s", (_, status) => {
    expect(parseRemoteStatus(JSON.stringify(status))).toEqual({ kind: "exited", exitCode: 0 });
    expect(parseRemoteStatus(`${JSON.stringify(status)}\n`)).toEqual({ kind: "exited", exitCode: 0 });
  });

  test.each([
    ["cri-streaming", nonZero("command terminated with non-zero exit code: exit status 137", "137"), 137],
    ["kubelet", { metadata: {}, ...nonZero("command terminated with non-zero exit code: 1", "1") }, 1],
    [
      "cri-dockerd",
      nonZero("command terminated with non-zero exit code: Error executing in Docker Container: 7", "7"),
      7,
    ],
    ["more causes", { status: "Failure", details: { causes: [{}, null, { reason: "ExitCode", message: "2" }] } }, 2],
    ["a number", { status: "Failure", details: { causes: [{ reason: "ExitCode", message: 255 }] } }, 255],
    ["beyond a byte", nonZero("", "4294967295"), 4_294_967_295],
    ["negative", nonZero("", "-1"), -1],
    ["no causes", { status: "Failure", reason: "NonZeroExitCode", message: "… non-zero exit code: 126" }, 126],
  ])("exit code: %s", (_, status, exitCode) => {
    expect(parseRemoteStatus(JSON.stringify(status))).toEqual({ kind: "exited", exitCode });
  });

  test.each([
    [
      "an internal error",
      {
        metadata: {},
        status: "Failure",
        message: "boom",
        reason: "InternalError",
        details: { causes: [{ message: "x" }] },
      },
      { message: "boom", reason: "InternalError" },
    ],
    [
      "a message among the causes",
      { status: "Failure", reason: "InternalError", details: { causes: [{ message: "x" }] } },
      { message: "x", reason: "InternalError" },
    ],
    ["no reason", { status: "Failure", message: "boom" }, { message: "boom", reason: "Unknown" }],
    ["exit code 0", nonZero("odd", "0"), { message: "odd", reason: "NonZeroExitCode" }],
    ["an invalid exit code", nonZero("odd", "0x10"), { message: "odd", reason: "NonZeroExitCode" }],
    ["an exit code of 400 digits", nonZero("odd", "9".repeat(400)), { message: "odd", reason: "NonZeroExitCode" }],
    [
      "an exit code that no string can be made of",
      { status: "Failure", details: { causes: [{ reason: "ExitCode", message: { toString: 1, valueOf: 1 } }] } },
      { reason: "Unknown" },
    ],
    ["fields of other types", { status: 1, message: {}, reason: [], details: [] }, { reason: "Unknown" }],
    ["an unknown status", { status: "Perhaps", message: "hm" }, { message: "hm", reason: "Unknown" }],
  ])("failed: %s", (_, status, expected) => {
    expect(parseRemoteStatus(JSON.stringify(status))).toMatchObject({ kind: "failed", ...expected });
  });

  test.each([
    ["plain text", "cannot exec in a stopped container\n", "cannot exec in a stopped container"],
    ["half a status", '{"status":"Succ', '{"status":"Succ'],
    ["a JSON string", '"Success"', '"Success"'],
    ["a list", "[]", "[]"],
    ["null", "null", "null"],
    ["nothing", "", "the server sent an empty status"],
  ])("not a status: %s", (_, text, message) => {
    expect(parseRemoteStatus(text)).toEqual({ kind: "failed", message, reason: "Unknown" });
  });

  test("ignores an exit code that is a deeply nested list", () => {
    const list = "[".repeat(30_000) + "]".repeat(30_000);
    const text = `{"status":"Failure","message":"x","details":{"causes":[{"reason":"ExitCode","message":${list}}]}}`;
    expect(parseRemoteStatus(text)).toMatchObject({ kind: "failed", message: "x" });
  });

  test("limits the length of message and reason", () => {
    const long = "x".repeat(1 << 20);
    for (const text of [long, JSON.stringify({ status: "Failure", message: long, reason: long })]) {
      const status = parseRemoteStatus(text);
      expect(JSON.stringify(status).length).toBeLessThan(5_000);
    }
  });

  test("returns a status for any input, and exit code 0 only for Success", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        const status = parseRemoteStatus(text);
        expect(["exited", "failed"]).toContain(status.kind);
        if (status.kind === "exited" && status.exitCode === 0) expect(text).toContain("Success");
      }),
    );
  });
});
