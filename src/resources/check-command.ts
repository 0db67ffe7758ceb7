import { InvalidInputError } from "../errors.js";

/** Refuses a command that no runtime could run. */
export function checkCommand(command: readonly string[]): void {
  const words = Array.isArray(command) && command.every((word) => typeof word === "string");
  if (words && command.length > 0 && command[0] !== "") return;
  throw new InvalidInputError({
    field: "command",
    message: 'must be a list of words such as ["ls", "-l"]; for a shell line pass ["sh", "-c", line]',
  });
}
