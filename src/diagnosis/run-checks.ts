import { checkCgroups } from "./checks/cgroups.js";
import { checkClock } from "./checks/clock.js";
import { checkDisk } from "./checks/disk.js";
import { findEndpoints } from "./checks/endpoint.js";
import { checkCapabilities, checkHandlers } from "./checks/features.js";
import { checkImageService } from "./checks/image-service.js";
import { checkKubelet } from "./checks/kubelet.js";
import { checkNetwork } from "./checks/network.js";
import { checkOtherRuntimes } from "./checks/other-runtimes.js";
import { checkProgram } from "./checks/program.js";
import { checkRuntime } from "./checks/runtime.js";
import { checkServer } from "./checks/server.js";
import { checkSocket } from "./checks/socket.js";
import { checkStreaming } from "./checks/streaming.js";
import { type DiagnosisCheck, diagnosisChecks, type Finding, finding } from "./finding.js";
import { type Check, type DiagnosisSettings, failureOf, runCheck, Subject } from "./subject.js";

/** The checks of a runtime that answers, in their order. */
const checks: readonly (readonly [DiagnosisCheck, Check])[] = [
  ["runtime", checkRuntime],
  ["network", checkNetwork],
  ["image-service", checkImageService],
  ["handlers", checkHandlers],
  ["capabilities", checkCapabilities],
  ["cgroups", checkCgroups],
  ["streaming", checkStreaming],
  ["disk", checkDisk],
  ["clock", checkClock],
  ["kubelet", checkKubelet],
];

/** Runs all checks, and yields each finding when it is known. */
export async function* runChecks(settings: DiagnosisSettings): AsyncGenerator<Finding, void, undefined> {
  yield checkProgram();
  const { findings, found } = await findEndpoints(settings);
  yield* findings;
  if (found === undefined) return yield* skipAfter("endpoint", settings);
  const socket = await checkSocket(found.endpoint, settings);
  yield socket;
  yield await checkOtherRuntimes(found.endpoint, found.source, settings);
  if (socket.status === "failure") return yield* skipAfter("other-runtimes", settings);
  const server = await checkServer(found, settings);
  yield server.finding;
  if (server.answering === undefined) return yield* skipAfter("server", settings);
  const { cri, version } = server.answering;
  try {
    const { timeoutMs, signal } = settings;
    const status = await cri.status({ verbose: true, timeoutMs, signal });
    const subject = new Subject(settings, found.endpoint, cri, version, status);
    for (const [name, check] of checks) yield* await runCheck(name, check, subject);
    if (settings.deep) yield* await runCheck("pod", (await import("./checks/pod.js")).checkPod, subject);
  } catch (error) {
    yield failureOf("runtime", error, settings.signal);
    yield* skipAfter("runtime", settings);
  } finally {
    await cri.close();
  }
}

/** Yields the checks that need what the last one did not find. */
function* skipAfter(last: DiagnosisCheck, { deep }: DiagnosisSettings): Generator<Finding, void, undefined> {
  for (const check of diagnosisChecks.slice(diagnosisChecks.indexOf(last) + 1)) {
    if (check === "pod" && !deep) continue;
    yield finding(check, "skipped", "needs a runtime that answers");
  }
}
