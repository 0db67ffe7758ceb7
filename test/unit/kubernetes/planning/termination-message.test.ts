import { describe, expect, it } from "vitest";
import { terminationMessagePathOf } from "../../../../src/kubernetes/planning/termination-message.js";
import { contextOf } from "./pod-context.js";

describe("the file of a termination message", () => {
  const container = { name: "main", image: "app:1" };
  const context = contextOf();

  it("is the same for one attempt, and differs between attempts, containers and pods", () => {
    const first = terminationMessagePathOf(context, container, 0);
    expect(first).toMatch(/^\/pods\/uid\/containers\/main\/[0-9a-f]{8}$/);
    expect(terminationMessagePathOf(context, { ...container }, 0)).toBe(first);
    const paths = [
      first,
      terminationMessagePathOf(context, container, 1),
      terminationMessagePathOf(context, { ...container, name: "other" }, 0),
      terminationMessagePathOf({ ...context, uid: "another" }, container, 0),
    ];
    expect(new Set(paths).size).toBe(4);
  });

  it("does not exist for containers without a termination message", () => {
    expect(terminationMessagePathOf(context, { ...container, terminationMessagePath: "" }, 0)).toBeUndefined();
  });
});
