import { CriError } from "../../errors.js";
import { linkAbort } from "../../internal/abort.js";
import { errorMessage } from "../../internal/error-message.js";
import { startTimer } from "../../internal/timer.js";
import type { HookManifest } from "../manifest/container.js";
import { httpGet, httpHeaders, httpUrl } from "./probes/http-probe.js";
import type { ProbeTarget } from "./probes/probe.js";
import { type Clock, systemClock } from "./probes/probe-clock.js";

const userAgent = "kube-lifecycle/k8s-cri-client";

/** A hook failed. `message` says why; a failed `postStart` stops its container. */
export class HookFailure extends Error {
  override name = "HookFailure";
}

/** One running attempt of a container, as hooks reach it. */
export interface HookTarget extends Pick<ProbeTarget, "podIPs" | "execSync"> {
  container: Pick<ProbeTarget["container"], "ports">;
}

/**
 * Runs a `postStart` or `preStop` hook. Of an HTTP hook, any response counts as success, as in the kubelet. A `tcpSocket` hook
 * does nothing: Kubernetes keeps the field, but no kubelet runs it.
 *
 * @param timeoutMs the most that the hook may take. Undefined: no limit but the signal
 * @throws HookFailure if the hook fails or takes too long; the signal's reason if it aborts
 */
export async function runHook(
  hook: HookManifest,
  target: HookTarget,
  { timeoutMs, signal, clock = systemClock }: { timeoutMs?: number | undefined; signal: AbortSignal; clock?: Clock },
): Promise<void> {
  const limited = linkAbort(signal);
  const timer =
    timeoutMs === undefined ? undefined : startTimer(timeoutMs, () => limited.abort(new HookFailure("took too long")));
  try {
    await perform(hook, target, limited.signal, clock);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (limited.signal.aborted) throw new HookFailure(`did not finish within ${(timeoutMs ?? 0) / 1000}s`);
    throw error instanceof HookFailure ? error : new HookFailure(errorMessage(error));
  } finally {
    timer?.();
    limited.unlink();
  }
}

async function perform(hook: HookManifest, target: HookTarget, signal: AbortSignal, clock: Clock): Promise<void> {
  if (hook.exec) return runCommand(hook.exec.command, target, signal);
  if (hook.sleep) return clock.sleep(hook.sleep.seconds * 1000, signal);
  if (hook.httpGet) {
    const url = httpUrl(hook.httpGet, target.podIPs[0] ?? "", target.container.ports);
    await httpGet(url, httpHeaders(hook.httpGet, userAgent), signal);
  }
}

async function runCommand(
  command: readonly string[],
  { execSync }: Pick<ProbeTarget, "execSync">,
  signal: AbortSignal,
): Promise<void> {
  const { exitCode, output } = await execSync(command, 0, signal).catch((error) => {
    if (CriError.is(error)) throw new HookFailure(error.details);
    throw error;
  });
  if (exitCode !== 0) throw new HookFailure(`command exited with ${exitCode}: ${output.slice(0, 1024)}`);
}
