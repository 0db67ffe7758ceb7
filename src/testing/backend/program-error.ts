/**
 * A program that cannot be started, with the error message of an OCI runtime: `unable to start container process: exec: "x":
 * executable file not found in $PATH`. Each flavour wraps this message in its own. The message of any other error is sent unchanged.
 */
export class ProgramError extends Error {}
