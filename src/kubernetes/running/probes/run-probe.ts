import { linkAbort } from "../../../internal/abort.js";
import { errorMessage } from "../../../internal/error-message.js";
import { startTimer } from "../../../internal/timer.js";
import type { ProbeManifest } from "../../manifest/container.js";
import { probeExec } from "./exec-probe.js";
import { probeGrpc } from "./grpc-probe.js";
import { probeHttp } from "./http-probe.js";
import { failure, type ProbeOutcome, type ProbeTarget } from "./probe.js";
import { probePort } from "./probe-port.js";
import { probeTcp } from "./tcp-probe.js";

/** Servers recognise the kubelet's probes by this prefix, and skip them in access logs. */
const userAgent = "kube-probe/k8s-cri-client";

/** Attempts of a probe that cannot run, as in the kubelet. */
const maxAttempts = 3;

/** Runs a probe once. Rejects only with the signal's reason. */
export async function runProbe(probe: ProbeManifest, target: ProbeTarget, signal: AbortSignal): Promise<ProbeOutcome> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await attemptProbe(probe, target, signal);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      const message = errorMessage(error);
      if (attempt === maxAttempts) return { outcome: "error", message };
    }
  }
}

async function attemptProbe(probe: ProbeManifest, target: ProbeTarget, signal: AbortSignal): Promise<ProbeOutcome> {
  const timeoutSeconds = probe.timeoutSeconds ?? 1;
  // ExecSync has the limit, so the runtime ends the command.
  if (probe.exec) return probeExec(probe.exec.command, timeoutSeconds, target, signal);
  const { ports } = target.container;
  const podIP = target.podIPs[0] ?? "";
  const { httpGet, tcpSocket, grpc } = probe;
  if (httpGet) {
    return withinLimit(timeoutSeconds, signal, (limited) => probeHttp(httpGet, { podIP, ports, userAgent }, limited));
  }
  if (tcpSocket) {
    const port = probePort(tcpSocket.port, ports);
    return withinLimit(timeoutSeconds, signal, (limited) => probeTcp(tcpSocket.host || podIP, port, limited));
  }
  if (!grpc) throw new Error("the probe has no action");
  const service = grpc.service ?? "";
  return withinLimit(timeoutSeconds, signal, (limited) =>
    probeGrpc({ host: podIP, port: grpc.port, service, userAgent }, timeoutSeconds * 1000, limited),
  );
}

/** Runs a probe over the network. An error, or no result in time, is a failure. */
async function withinLimit(
  timeoutSeconds: number,
  signal: AbortSignal,
  probe: (signal: AbortSignal) => Promise<ProbeOutcome>,
): Promise<ProbeOutcome> {
  const limited = linkAbort(signal);
  const stopTimer = startTimer(timeoutSeconds * 1000, () => limited.abort(new Error("timed out")));
  try {
    return await probe(limited.signal);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (limited.signal.aborted) return failure(`the probe timed out after ${timeoutSeconds}s`);
    return failure(errorMessage(error));
  } finally {
    stopTimer();
    limited.unlink();
  }
}
