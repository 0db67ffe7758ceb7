import { setTimeout as sleep } from "node:timers/promises";
import type { V1Lease } from "@kubernetes/client-node";
import { type Api, leases, type Named, statusCode } from "../api/api.js";
import { microTime } from "../api/types.js";
import type { Log } from "../log.js";

const durationSeconds = 15;
const renewMs = 3_000;
/** Another process may begin when the lease expires, so that the holder ends before. */
const giveUpMs = (durationSeconds - 5) * 1_000;

export interface ElectionOptions {
  api: Api;
  lease: Named;
  /** The name of this process. */
  holder: string;
  log: Log;
  onWon: () => void;
  /** Is called when the lease could not be renewed in time. Somebody else may hold it soon. */
  onLost: () => void;
}

/**
 * Lets one of several processes hold a lease. The loser of a race gets a 409, because each write names the version that it replaces. A
 * lease has expired when this process has not seen it change for its duration: the clocks of other nodes do not matter.
 */
export class Election {
  readonly #options: ElectionOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  /** The version of the lease that was seen last, and since when. */
  #seen: { version: string | undefined; at: number } | undefined;
  #isHolder = false;

  constructor(options: ElectionOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Ends, and releases the lease, so that another process can hold it at once. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    if (!this.#isHolder) return;
    const { api, lease: name, holder } = this.#options;
    const lease = await api.get(leases, name);
    const { holderIdentity, ...spec } = lease?.spec ?? {};
    if (lease && holderIdentity === holder) await api.replace(leases, name, { ...lease, spec });
  }

  async #run(): Promise<void> {
    const { log, onWon, onLost } = this.#options;
    const { signal } = this.#stopping;
    for (let renewedAt = 0; !signal.aborted; ) {
      const isRenewed = await this.#claim().catch((error: unknown) => {
        if (statusCode(error) !== 409) log("warning", "cannot renew the lease of the controller", { error });
        return false;
      });
      if (isRenewed) {
        renewedAt = Date.now();
        if (!this.#isHolder) onWon();
        this.#isHolder = true;
      } else if (this.#isHolder && Date.now() - renewedAt > giveUpMs) {
        this.#isHolder = false;
        return onLost();
      }
      await sleep(renewMs * (0.8 + Math.random() * 0.4), undefined, { signal }).catch(() => {});
    }
  }

  /** Renews the lease, or takes it if nobody holds it. Returns whether this process holds it now. */
  async #claim(): Promise<boolean> {
    const { api, lease: name, holder } = this.#options;
    const spec = { holderIdentity: holder, leaseDurationSeconds: durationSeconds, renewTime: microTime(new Date()) };
    const lease = await api.get(leases, name);
    if (lease === undefined) {
      await api.create<V1Lease>(leases, name.namespace, { metadata: name, spec });
      return true;
    }
    const version = lease.metadata?.resourceVersion;
    if (this.#seen?.version !== version) this.#seen = { version, at: Date.now() };
    const isExpired = Date.now() - (this.#seen?.at ?? 0) > durationSeconds * 1_000;
    const other = lease.spec?.holderIdentity;
    if (other && other !== holder && !isExpired) return false;
    await api.replace(leases, name, { ...lease, spec: { ...lease.spec, ...spec } });
    return true;
  }
}
