import { InvalidInputError } from "../../errors.js";

/** Refuses a command that no runtime could run. */
export function checkCommand(command: readonly string[]): void {
  const words = Array.isArray(command) && command.every((word) => typeof word === "string");
  if (words && command.length > 0 && command[0] !== "") return;
  throw new InvalidInputError({
    field: "command",
    message: 'must be a list of words such as ["ls", "-l"]; for a shell line pass ["sh", "-c", line]',
  });
}

/** Refuses a time limit of a command that is none. @throws InvalidInputError */
export function checkCommandTimeout(seconds: number): void {
  if (typeof seconds === "number" && seconds >= 0 && Number.isFinite(seconds)) return;
  const message = "must be a number of seconds, 0 for no limit";
  throw new InvalidInputError({ field: "commandTimeoutSeconds", message, value: seconds });
}
