import { ClientError, Status } from "nice-grpc-common";
import { describe, expect, test } from "vitest";
import { neverReachedHandler } from "../../../src/transport/never-sent.js";

describe("neverReachedHandler", () => {
  test.each([
    ["No connection established. Last error: connect ENOENT /run/x.sock", true],
    ["server is not initialized yet", true],
    ["Name resolution failed for target dns:nowhere:1", true],
    ["Connection dropped", false],
    ["read ECONNRESET", false],
  ])("%s: %s", (details, expected) => {
    expect(neverReachedHandler(new ClientError("/x", Status.UNAVAILABLE, details))).toBe(expected);
    expect(neverReachedHandler(new ClientError("/x", Status.INTERNAL, details))).toBe(false);
  });

  test("recognises the UNKNOWN of containerd 1.6 during its start, and no other UNKNOWN", () => {
    const neverReached = (details: string) => neverReachedHandler(new ClientError("/x", Status.UNKNOWN, details));
    expect(neverReached("server is not initialized yet")).toBe(true);
    expect(neverReached("failed to pull: registry says: server is not initialized yet")).toBe(false);
    expect(neverReached("No connection established. Last error: none")).toBe(false);
  });
});
