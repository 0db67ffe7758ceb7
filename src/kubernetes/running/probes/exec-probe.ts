import { CriError } from "../../../errors.js";
import { failure, maxProbeOutputBytes, type ProbeOutcome, type ProbeTarget } from "./probe.js";

/** Probes with a command in the container: success is exit code 0. Rejects if the command cannot run. */
export async function probeExec(
  command: readonly string[],
  timeoutSeconds: number,
  target: Pick<ProbeTarget, "execSync">,
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  try {
    const { exitCode, output } = await target.execSync(command, timeoutSeconds, signal);
    const message = Buffer.from(output).subarray(0, maxProbeOutputBytes).toString();
    return exitCode === 0 ? { outcome: "success", message } : failure(message);
  } catch (error) {
    if (!CriError.is(error, "COMMAND_TIMED_OUT")) throw error;
    return failure(`command timed out: ${JSON.stringify(command.join(" "))} timed out after ${timeoutSeconds}s`);
  }
}
