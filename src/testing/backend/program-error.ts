/**
 * A program that cannot be started, in the words of an OCI runtime: `unable to start container process: exec: "x": executable file not
 * found in $PATH`. Each flavour puts its own words around it; the message of any other error goes to the client as it is.
 */
export class ProgramError extends Error {}
