/*
 * Error messages and replies of runtimes that do not use a gRPC code for a command that could not be started, or was killed at
 * its time limit.
 */

/**
 * Returns the runtime's error message if a command was never started. CRI-O and Docker write it to the command's own output and
 * return an exit code, as if the command had run.
 *
 * A command can print the same message and exit with the same code. So the message must be the whole output and must name the
 * program. For example, `docker exec x nope`, run in a container, prints Docker's message about `nope`, not about `docker`.
 *
 * @param output all output of the command, standard output and standard error
 * @param program the first word of the command
 */
export function startFailure(exitCode: number, output: string, program: string): string | undefined {
  for (const { exitCodes, pattern } of startFailures) {
    const [, message, quoted] = (exitCodes.includes(exitCode) && pattern.exec(output)) || [];
    if (message !== undefined && quoted === program) return message.replaceAll('\\"', '"');
  }
  return undefined;
}

const startFailures = [
  // CRI-O with runc, on standard error:
  // time="…" level=error msg="exec failed: …: exec: \"nope\": executable file not found in $PATH"
  {
    exitCodes: [255],
    pattern: /^time="[^"]*" level=error msg="(exec failed: [^\n]*?exec: \\"([^"\n]*)\\": [^\n]*)"\r?\n?$/,
  },
  // CRI-O with crun, on standard error: executable file `nope` not found in $PATH: No such file or directory
  { exitCodes: [255], pattern: /^[^\n]{0,100}?(executable file `([^`\n]*)` not found[^\r\n]*)\r?\n?$/ },
  // Docker, on standard output: OCI runtime exec failed: exec failed: …: exec: "nope": executable file not found in $PATH: unknown
  {
    exitCodes: [126, 127],
    pattern: /^(OCI runtime exec failed: exec failed: [^\n]*?exec: "([^"\n]*)": [^\r\n]*)\r?\n?$/,
  },
];

/**
 * Returns the state of a command whose ExecSync failed with DEADLINE_EXCEEDED because it reached its time limit; undefined if
 * the call failed for another reason.
 */
export function commandAtLimit(details: string): "killed" | "runsOn" | undefined {
  // containerd: failed to exec in container: timeout 1s exceeded: context deadline exceeded
  if (/\btimeout \S+ exceeded/.test(details)) return "killed";
  // Docker: context deadline exceeded
  return details === "context deadline exceeded" ? "runsOn" : undefined;
}

/** Returns whether an ExecSync reply means that the command reached its time limit: CRI-O answers OK, with exit code -1. */
export function isTimeoutReply({ exitCode, stderr }: { exitCode: number; stderr: Uint8Array }): boolean {
  return exitCode === -1 && new TextDecoder().decode(stderr.subarray(0, 100)).includes("command timed out");
}

/** Returns whether a session ended without an exit code because the command did not read all its input. */
export function isInputUnread(details: string): boolean {
  // CRI-O: error executing command in container: write |1: broken pipe
  return /: write \|\d+: broken pipe$/.test(details);
}
