import { connect } from "node:net";
import { CriError } from "../../errors.js";
import { linkAbort, onAbort } from "../../internal/abort.js";
import { startTimer } from "../../internal/timer.js";
import { PodSandboxState } from "../../proto.js";
import { portForwardUrl } from "../../rpcs/stream-urls.js";
import { resolveStreamUrls } from "../../streaming/url.js";
import { type Finding, finding } from "../finding.js";
import type { Subject } from "../subject.js";

const remedy =
  "Let the streaming server of the runtime listen on an address that this program can reach: stream_server_address of containerd, stream_address of CRI-O. For a tunnel, set the option streamUrl. execSync needs no streaming server.";

/**
 * Asks for the URL of a session with a pod that runs, and connects to its port. No session begins, so the pod does not notice it, and
 * the token of the URL expires unused.
 */
export async function checkStreaming(subject: Subject): Promise<Finding[]> {
  const { cri, connection, endpoint, callOptions, settings } = subject;
  const pods = await cri.pods.list({ state: "ready" }, callOptions);
  const pod = pods.find(({ state }) => state === PodSandboxState.SANDBOX_READY);
  if (pod === undefined) {
    // The pod of a deep diagnosis has sessions.
    const hint = settings.deep ? {} : { remedy: "Diagnose with deep (--deep), which runs a pod for this." };
    return [finding("streaming", "skipped", "there is no running pod to open a session with", hint)];
  }
  try {
    const raw = await portForwardUrl(connection, pod.id, [80], callOptions);
    const urls = resolveStreamUrls(raw, {
      endpointHost: endpoint.kind === "tcp" ? endpoint.host : undefined,
      mustBeSecure: endpoint.kind === "tcp" && endpoint.tls && !settings.allowInsecureTcp,
      hook: settings.streamUrl,
      kind: "portForward",
    });
    const failures: string[] = [];
    for (const url of urls) {
      const failure = await tryConnect(url, settings.timeoutMs, settings.signal);
      if (failure === undefined)
        return [finding("streaming", "ok", `exec, attach and port-forward connect to ${url.host}`)];
      failures.push(`${url.host}: ${failure}`);
    }
    return [
      finding("streaming", "failure", `the streaming server cannot be reached: ${failures.join(", ")}`, { remedy }),
    ];
  } catch (error) {
    settings.signal?.throwIfAborted();
    if (CriError.is(error, "NOT_FOUND", "FAILED_PRECONDITION")) {
      return [finding("streaming", "skipped", "the pod ended before a session was requested")];
    }
    if (!CriError.is(error)) throw error;
    return [finding("streaming", "failure", `${error.code}: ${error.details}`, { remedy })];
  }
}

/** Connects to the host of a URL and closes the connection. Returns the reason if that fails. */
async function tryConnect(url: URL, timeoutMs: number, signal: AbortSignal | undefined): Promise<string | undefined> {
  const link = linkAbort(signal);
  const stopTimer = startTimer(timeoutMs, () =>
    link.abort(new Error(`did not accept a connection within ${timeoutMs} ms`)),
  );
  try {
    await new Promise<void>((resolve, reject) => {
      const port = Number(url.port) || (url.protocol === "https:" ? 443 : 80);
      const socket = connect({ host: url.hostname.replace(/^\[(.*)\]$/, "$1"), port });
      const unlisten = onAbort(link.signal, () => socket.destroy(link.signal.reason));
      socket.once("close", unlisten);
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.destroy();
        resolve();
      });
      if (link.signal.aborted) socket.destroy(link.signal.reason);
    });
    return undefined;
  } catch (error) {
    signal?.throwIfAborted();
    return (error as NodeJS.ErrnoException).code ?? (error as Error).message;
  } finally {
    stopTimer();
    link.unlink();
  }
}
