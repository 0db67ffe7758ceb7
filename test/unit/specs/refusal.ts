import { expect } from "vitest";
import { InvalidInputError } from "../../../src/errors.js";

/** Returns the details of the InvalidInputError that a function throws, as `field: message`. Fails if it throws no such error. */
export function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidInputError);
    return (error as InvalidInputError).details;
  }
  return expect.fail("was accepted");
}
