import { setTimeout as sleep } from "node:timers/promises";
import type { V1Lease } from "@kubernetes/client-node";
import { type Api, leases } from "./api/api.js";
import { labelValue } from "./api/names.js";
import { group, microTime } from "./api/types.js";
import type { Log } from "./log.js";

/** How long a node counts as alive without a renewal. */
export const leaseSeconds = 60;
/** The label of agents' leases. */
export const agentLeaseLabel = `${group}/agent`;
const nodeAnnotation = `${group}/node`;

export function nodeOf({ metadata }: V1Lease): string | undefined {
  return metadata?.annotations?.[nodeAnnotation];
}

/** Renews the lease of a node three times in its duration, until the signal aborts. */
export async function heartbeat(
  api: Api,
  { namespace, node, holder }: { namespace: string; node: string; holder: string },
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  const name = `node-task-agent-${labelValue(node)}`;
  const metadata = { namespace, name, labels: { [agentLeaseLabel]: "" }, annotations: { [nodeAnnotation]: node } };
  while (!signal.aborted) {
    const spec = { holderIdentity: holder, leaseDurationSeconds: leaseSeconds, renewTime: microTime(new Date()) };
    await api.apply(leases, { metadata, spec }, "node-task-agent").catch((error: unknown) => {
      log("warning", "cannot renew the lease", { error });
    });
    await sleep((leaseSeconds / 3) * 1_000 * (0.9 + Math.random() / 5), undefined, { signal }).catch(() => {});
  }
}
