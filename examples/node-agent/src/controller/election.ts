import { setTimeout as sleep } from "node:timers/promises";
import type { V1Lease } from "@kubernetes/client-node";
import { type Api, leases, statusCode } from "../api/api.js";
import { microTime } from "../api/types.js";
import type { Log } from "../log.js";

const durationSeconds = 15;
const renewMs = 3_000;

/**
 * Resolves when this process holds the lease, with a signal that aborts when it has lost it. The loser of a race gets a 409, because
 * each write names the version that it replaces. A lease has expired when this process has not seen it change for its duration: the
 * clocks of other nodes do not matter.
 */
export async function elect(
  api: Api,
  { namespace, name, holder }: { namespace: string; name: string; holder: string },
  log: Log,
  stopping: AbortSignal,
): Promise<AbortSignal> {
  const lost = new AbortController();
  let seen: { version: string | undefined; at: number } | undefined;
  const tryOnce = async (): Promise<boolean> => {
    const lease = await api.get(leases, { namespace, name });
    const spec = { holderIdentity: holder, leaseDurationSeconds: durationSeconds, renewTime: microTime(new Date()) };
    if (lease === undefined) {
      await api.create<V1Lease>(leases, namespace, { metadata: { namespace, name }, spec });
      return true;
    }
    const version = lease.metadata?.resourceVersion;
    if (seen === undefined || seen.version !== version) seen = { version, at: Date.now() };
    const isExpired = Date.now() - seen.at > durationSeconds * 1_000;
    if (lease.spec?.holderIdentity && lease.spec.holderIdentity !== holder && !isExpired) return false;
    await api.replace(leases, { namespace, name }, { ...lease, spec: { ...lease.spec, ...spec } });
    return true;
  };
  const attempt = async (): Promise<boolean> => {
    try {
      return await tryOnce();
    } catch (error) {
      if (statusCode(error) !== 409) log("warning", "cannot renew the lease of the controller", { error });
      return false;
    }
  };
  const pause = () => sleep(renewMs * (0.8 + Math.random() * 0.4), undefined, { signal: stopping }).catch(() => {});
  while (!stopping.aborted && !(await attempt())) await pause();
  void (async () => {
    for (let renewedAt = Date.now(); ; ) {
      await pause();
      if (stopping.aborted) break;
      if (await attempt()) renewedAt = Date.now();
      // Another process may begin when the lease expires, so this one ends before.
      else if (Date.now() - renewedAt > (durationSeconds - 5) * 1_000) break;
    }
    lost.abort();
  })();
  return lost.signal;
}
