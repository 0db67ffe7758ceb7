import { expect } from "vitest";
import { InvalidInputError } from "../../../src/errors.js";

/** What a function was refused with, as `field: sentence`. Fails if it was not refused, or with anything but an InvalidInputError. */
export function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidInputError);
    return (error as InvalidInputError).details;
  }
  return expect.fail("was accepted");
}
