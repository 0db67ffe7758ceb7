/**
 * A program that cannot be started, with the error message of an OCI runtime:
 * `unable to start container process: exec: "x": executable file not found in $PATH`. Each flavour adds its own context to this
 * message. The messages of other errors are sent unchanged.
 */
export class ProgramError extends Error {}
