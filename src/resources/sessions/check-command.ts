import { InvalidInputError } from "../../errors.js";

/** Checks a command. @throws InvalidInputError for a command that no runtime can run */
export function checkCommand(command: readonly string[]): void {
  const isList = Array.isArray(command) && command.every((argument) => typeof argument === "string");
  if (isList && command.length > 0 && command[0] !== "") return;
  throw new InvalidInputError({
    field: "command",
    message: 'must be a list of strings such as ["ls", "-l"]; for a shell command line pass ["sh", "-c", line]',
  });
}

/** Checks the time limit of a command. @throws InvalidInputError unless it is a number of seconds */
export function checkCommandTimeout(seconds: number): void {
  if (typeof seconds === "number" && seconds >= 0 && Number.isFinite(seconds)) return;
  const message = "must be a number of seconds, 0 for no limit";
  throw new InvalidInputError({ field: "commandTimeoutSeconds", message, value: seconds });
}
