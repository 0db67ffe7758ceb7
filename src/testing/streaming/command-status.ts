/** The Kubernetes `Status` that a server sends at the end of a session. */
export interface CommandStatus {
  readonly metadata: Readonly<Record<string, never>>;
  readonly status: "Success" | "Failure";
  readonly message?: string;
  readonly reason?: "NonZeroExitCode" | "InternalError";
  readonly details?: { readonly causes: readonly { readonly reason?: "ExitCode"; readonly message: string }[] };
  readonly code?: number;
}

/** The status of a successful session. For a command, this is exit code 0. */
export const succeeded: CommandStatus = { metadata: {}, status: "Success" };

/** Makes the status of a command that ended, with the runtime's message. */
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

/** Makes the status of a session that failed. */
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
