import { ClientError, Status } from "nice-grpc-common";
import { describe, expect, test } from "vitest";
import { neverReachedHandler } from "../../../src/transport/unsent.js";

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
});
