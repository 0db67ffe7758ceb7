import { linkAbort } from "../../internal/abort.js";
import { startTimer } from "../../internal/timer.js";
import { DiscoveryContext } from "../../transport/discovery-context.js";
import { type Endpoint, sameEndpoint } from "../../transport/endpoint.js";
import { wellKnownSockets } from "../../transport/well-known-sockets.js";
import { type Finding, finding } from "../finding.js";
import type { DiagnosisSettings } from "../subject.js";

/** Finds the other runtimes of the node, among which a program without an endpoint would have to choose. */
export async function checkOtherRuntimes(
  endpoint: Endpoint,
  source: string,
  settings: DiagnosisSettings,
): Promise<Finding> {
  const { env, platform, configPath, root, timeoutMs, signal } = settings;
  const context = new DiscoveryContext({ env, platform, configPath, root });
  const link = linkAbort(signal);
  const stopTimer = startTimer(timeoutMs, () => link.abort(undefined));
  const probes = wellKnownSockets(context.platform).map(async ({ runtime, endpoint: known }) => {
    const { endpoint: at } = known.kind === "unix" ? await context.locate(known) : { endpoint: known };
    if (sameEndpoint(at, endpoint)) return [];
    const { reachable, speaksCri } = await context.probe(at, link.signal);
    return reachable && speaksCri ? [`${runtime} at ${at.display}`] : [];
  });
  const others = (
    await Promise.all(probes).finally(() => {
      stopTimer();
      link.unlink();
    })
  ).flat();
  signal?.throwIfAborted();
  if (others.length === 0) return finding("other-runtimes", "ok", "no other runtime answers on the node");
  const found = `also on this node: ${others.join(", ")}`;
  if (source !== "well-known sockets") return finding("other-runtimes", "ok", found);
  return finding("other-runtimes", "warning", found, {
    remedy: "Name the runtime that you mean, because a program without an endpoint uses the first one.",
    commands: [`export CONTAINER_RUNTIME_ENDPOINT=${endpoint.display}`],
  });
}
