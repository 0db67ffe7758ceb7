import { setTimeout as sleep } from "node:timers/promises";
import type { V1Lease } from "@kubernetes/client-node";
import { type Api, leases, type Named } from "../api/api.js";
import { statusCode } from "../api/connection.js";
import { microTime } from "../api/types.js";
import type { Log } from "../log.js";

const durationSeconds = 15;
const renewMs = 3_000;
/** Another process may begin when the lease expires, so that the holder ends before. */
const giveUpMs = (durationSeconds - 5) * 1_000;

/**
 * Lets one of several processes hold a lease. The loser of a race gets a 409, because each write names the version that it replaces. A
 * lease has expired when this process has not seen it change for its duration: the clocks of other nodes do not matter.
 */
export class Election {
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  /** The version of the lease that was seen last, and since when. */
  #seen: { version: string | undefined; at: number } | undefined;
  #isHolder = false;

  /** @param holder the name of this process */
  constructor(
    private readonly api: Api,
    private readonly lease: Named,
    private readonly holder: string,
    private readonly log: Log,
  ) {}

  /** @param onLost is called when the lease could not be renewed in time: somebody else may hold it soon */
  start(onWon: () => void, onLost: () => void): void {
    this.#running ??= this.#run(onWon, onLost);
  }

  /** Ends, and releases the lease, so that another process can hold it at once. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    if (!this.#isHolder) return;
    const lease = await this.api.get(leases, this.lease);
    const { holderIdentity, ...spec } = lease?.spec ?? {};
    if (lease && holderIdentity === this.holder) await this.api.replace(leases, this.lease, { ...lease, spec });
  }

  async #run(onWon: () => void, onLost: () => void): Promise<void> {
    const { signal } = this.#stopping;
    for (let renewedAt = 0; !signal.aborted; ) {
      const isRenewed = await this.#claim().catch((error: unknown) => {
        if (statusCode(error) !== 409) this.log("warning", "cannot renew the lease of the controller", { error });
        return false;
      });
      if (isRenewed) {
        renewedAt = performance.now();
        if (!this.#isHolder) onWon();
        this.#isHolder = true;
      } else if (this.#isHolder && performance.now() - renewedAt > giveUpMs) {
        this.#isHolder = false;
        return onLost();
      }
      await sleep(renewMs * (0.8 + Math.random() * 0.4), undefined, { signal }).catch(() => {});
    }
  }

  /** Renews the lease, or takes it if nobody holds it. Returns whether this process holds it now. */
  async #claim(): Promise<boolean> {
    const { api, lease: name, holder } = this;
    const spec = { holderIdentity: holder, leaseDurationSeconds: durationSeconds, renewTime: microTime(new Date()) };
    const lease = await api.get(leases, name);
    if (lease === undefined) {
      await api.create<V1Lease>(leases, name.namespace, { metadata: name, spec });
      return true;
    }
    const version = lease.metadata?.resourceVersion;
    if (this.#seen?.version !== version) this.#seen = { version, at: performance.now() };
    const isExpired = performance.now() - (this.#seen?.at ?? 0) > durationSeconds * 1_000;
    const other = lease.spec?.holderIdentity;
    if (other && other !== holder && !isExpired) return false;
    await api.replace(leases, name, { ...lease, spec: { ...lease.spec, ...spec } });
    return true;
  }
}
