import { inspect } from "node:util";
import { describe, expect, test, vi } from "vitest";
import { CriError, ExecError, InvalidInputError, NameReservedError } from "../../src/errors.js";

describe("CriError", () => {
  test("has code, method, error message and endpoint, and keeps the cause", () => {
    const cause = new Error("wire");
    const error = new CriError({
      code: "NOT_FOUND",
      message: 'container "nope" not found',
      method: "RuntimeService/ContainerStatus",
      endpoint: "unix:///run/x.sock",
      attempts: 2,
      cause,
    });
    expect(error.message).toBe(
      '[NOT_FOUND] RuntimeService/ContainerStatus: container "nope" not found (unix:///run/x.sock)',
    );
    expect(error).toMatchObject({ name: "CriError", details: 'container "nope" not found', attempts: 2, cause });
    expect(error.stack).toContain("errors.test.ts");
  });

  test("never has a token or a password in its message", () => {
    const error = new CriError({ code: "UNKNOWN", message: "http://u:s3cret@h/ and http://h/exec/tok3n" });
    expect(inspect(error) + JSON.stringify(error)).not.toMatch(/s3cret|tok3n/);
  });

  test("keeps the given lines, and escapes line breaks within a line", () => {
    const forged = "not found\n2026-11-28 ERROR all is lost";
    const error = new CriError({ code: "UNKNOWN", message: ["Tried:", `  x: ${forged}`] });
    expect(error.details).toBe("Tried:\n  x: not found\\n2026-11-28 ERROR all is lost");
    expect(new CriError({ code: "UNKNOWN", message: forged }).message).toBe(
      "[UNKNOWN] not found\\n2026-11-28 ERROR all is lost",
    );
  });

  test("is recognised by its code, and narrows the type", () => {
    const error: unknown = new NameReservedError({ message: "taken", holderId: "abc" });
    expect(CriError.is(error)).toBe(true);
    expect(CriError.is(error, "NOT_FOUND", "NAME_RESERVED")).toBe(true);
    expect(CriError.is(error, "NOT_FOUND")).toBe(false);
    expect(CriError.is(new Error("no"))).toBe(false);
    expect(CriError.is(undefined)).toBe(false);
  });

  test("is recognised when it comes from another copy of the package", async () => {
    // Evaluates the module a second time, like a CommonJS build next to the ESM build.
    vi.resetModules();
    const other = await import("../../src/errors.js");
    expect(other.CriError).not.toBe(CriError);
    const error = new other.NameReservedError({ message: "taken", holderId: "abc" });
    expect(error instanceof CriError).toBe(true);
    expect(error instanceof NameReservedError).toBe(true);
    expect(error instanceof ExecError).toBe(false);
    expect(CriError.is(error, "NAME_RESERVED")).toBe(true);
  });

  test("does not recognise other values", () => {
    expect({} instanceof CriError).toBe(false);
    expect((null as unknown) instanceof CriError).toBe(false);
    expect(new Error("x") instanceof CriError).toBe(false);
  });

  test("InvalidInputError has the field, the value and the remedy", () => {
    const error = new InvalidInputError({ field: "spec.name", message: "must not be empty", value: "" });
    expect(error.message).toBe('[INVALID_INPUT] spec.name: must not be empty, got ""');
    expect(error).toMatchObject({ field: "spec.name", attempts: 0, mayHaveTakenEffect: false });
  });

  test("InvalidInputError has no secret and no control character in its field", () => {
    const field = 'auths["https://me:s3cret@registry.example"]\n\x1b[31m.auth';
    const error = new InvalidInputError({ field, message: "must be a string" });
    expect(error.field).toBe('auths["https://[redacted]@registry.example"]\\n [31m.auth');
    expect(inspect(error)).not.toContain("s3cret");
  });
});
