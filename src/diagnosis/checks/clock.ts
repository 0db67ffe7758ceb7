import { toDate } from "../../internal/time.js";
import { type Finding, finding } from "../finding.js";
import type { Subject } from "../subject.js";

/** Smaller differences are the time that a reply takes, in milliseconds. */
const toleranceMs = 2_000;

/**
 * Checks whether the runtime reports times in our future. A time in the past proves nothing, because it may be old; `deep` measures
 * with a pod of its own.
 */
export async function checkClock({ cri, callOptions }: Subject): Promise<Finding[]> {
  const [filesystems, pods, containers] = await Promise.all([
    cri.images.fsInfo(callOptions),
    cri.pods.list({}, callOptions),
    cri.containers.list({}, callOptions),
  ]);
  const now = Date.now();
  const times = [
    ...filesystems.imageFilesystems.map(({ timestamp }) => timestamp),
    ...[...pods, ...containers].map(({ createdAt }) => createdAt),
  ].flatMap((time) => toDate(time)?.getTime() ?? []);
  if (times.length === 0) return [finding("clock", "skipped", "the runtime reports no time to compare with")];
  const aheadMs = Math.max(...times) - now;
  if (aheadMs <= toleranceMs) return [finding("clock", "ok", "no time that the runtime reports is in the future")];
  return [judgeClock(aheadMs)];
}

/** Judges the difference between the clocks. @param aheadMs how far the clock of the runtime is ahead; negative if it is behind */
export function judgeClock(aheadMs: number): Finding {
  if (Math.abs(aheadMs) <= toleranceMs) {
    return finding("clock", "ok", "the clocks of the runtime and of this process agree");
  }
  const seconds = Math.round(Math.abs(aheadMs) / 1_000);
  const found = `the clock of the runtime is ${seconds} s ${aheadMs > 0 ? "ahead of" : "behind"} that of this process, or a clock was set`;
  return finding("clock", "warning", found, {
    remedy: "Synchronize the clocks: minimum ages of clean-ups, log times and rates of usage are wrong otherwise.",
    commands: ["timedatectl", "sudo timedatectl set-ntp true"],
  });
}
