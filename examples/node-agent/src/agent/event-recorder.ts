import { randomBytes } from "node:crypto";
import type { RunningPodEvent } from "k8s-cri-client/kubernetes";
import { type Api, events } from "../api/api.js";
import { group, microTime, type NodeTaskResult } from "../api/types.js";

/** How many events about one result may follow at once, and after which time one more may: what client-go allows for one object. */
const burst = 25;
const refillMs = 300_000;
const remembered = 1_000;

/** Writes Kubernetes Events about results. An event that cannot be written is lost, as in Kubernetes. */
export class EventRecorder {
  readonly #allowances = new Map<string, { left: number; at: number }>();

  /** @param instance the node */
  constructor(
    private readonly api: Api,
    private readonly instance: string,
  ) {}

  record({ metadata }: NodeTaskResult, { type, reason, message, at }: RunningPodEvent): void {
    const { namespace = "default", name = "", uid = "" } = metadata ?? {};
    if (!this.#mayWrite(uid)) return;
    const event = {
      metadata: { namespace, name: `${name.slice(0, 220)}.${randomBytes(8).toString("hex")}` },
      eventTime: microTime(at),
      type,
      reason,
      action: reason,
      note: message.slice(0, 1_000),
      reportingController: `${group}/agent`,
      reportingInstance: this.instance,
      regarding: { apiVersion: `${group}/v1`, kind: "NodeTaskResult", namespace, name, uid },
    };
    this.api.create(events, namespace, event).catch(() => {});
  }

  #mayWrite(uid: string): boolean {
    const now = Date.now();
    const { left, at } = this.#allowances.get(uid) ?? { left: burst, at: now };
    const allowed = Math.min(burst, left + (now - at) / refillMs);
    if (allowed < 1) return false;
    this.#allowances.delete(uid);
    this.#allowances.set(uid, { left: allowed - 1, at: now });
    const [oldest = ""] = this.#allowances.keys();
    if (this.#allowances.size > remembered) this.#allowances.delete(oldest);
    return true;
  }
}
