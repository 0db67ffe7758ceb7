/** The `Status` of Kubernetes with which a server ends a session. */
export interface CommandStatus {
  readonly metadata: Readonly<Record<string, never>>;
  readonly status: "Success" | "Failure";
  readonly message?: string;
  readonly reason?: "NonZeroExitCode" | "InternalError";
  readonly details?: { readonly causes: readonly { readonly reason?: "ExitCode"; readonly message: string }[] };
  readonly code?: number;
}

/** The session went as it should; of a command, that it ended with exit code 0. */
export const succeeded: CommandStatus = { metadata: {}, status: "Success" };

/** A command has ended, which the runtime describes with this message. */
export function exitedWith(exitCode: number, message: string): CommandStatus {
  if (exitCode === 0) return succeeded;
  return {
    metadata: {},
    status: "Failure",
    message: `command terminated with non-zero exit code: ${message}`,
    reason: "NonZeroExitCode",
    details: { causes: [{ reason: "ExitCode", message: String(exitCode) }] },
  };
}

/** The runtime could not do what the session was for. */
export function failedWith(why: string): CommandStatus {
  return {
    metadata: {},
    status: "Failure",
    message: `Internal error occurred: ${why}`,
    reason: "InternalError",
    details: { causes: [{ message: why }] },
    code: 500,
  };
}
