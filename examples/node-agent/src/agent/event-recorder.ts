import { randomBytes } from "node:crypto";
import type { RunningPodEvent } from "k8s-cri-client/kubernetes";
import { type Api, events } from "../api/api.js";
import { group, microTime, type NodeTaskResult } from "../api/types.js";

/** Events that may follow at once, and the time after which one more may: what client-go allows for one object. */
const burst = 25;
const refillMs = 300_000;
/** The same event is written again after this time. */
const repeatMs = 600_000;

/** Writes Kubernetes Events about results. An event that cannot be written is lost, as in Kubernetes. */
export class EventRecorder {
  readonly #api: Api;
  readonly #instance: string;
  readonly #written = new Map<string, number>();
  readonly #allowance = new Map<string, { left: number; at: number }>();

  constructor(api: Api, instance: string) {
    this.#api = api;
    this.#instance = instance;
  }

  record({ metadata }: NodeTaskResult, { type, reason, message, container, at }: RunningPodEvent): void {
    const { namespace = "default", name = "", uid = "" } = metadata ?? {};
    if (!this.#mayWrite(`${namespace}/${name}`, `${reason} ${container} ${message}`)) return;
    const event = {
      metadata: { namespace, name: `${name.slice(0, 220)}.${randomBytes(8).toString("hex")}` },
      eventTime: microTime(at),
      ...{ type, reason, action: reason, note: message.slice(0, 1_000) },
      ...{ reportingController: `${group}/agent`, reportingInstance: this.#instance },
      regarding: { apiVersion: `${group}/v1`, kind: "NodeTaskResult", namespace, name, uid },
    };
    this.#api.create(events, namespace, event).catch(() => {});
  }

  #mayWrite(object: string, text: string): boolean {
    const now = Date.now();
    const key = `${object} ${text}`;
    if (now - (this.#written.get(key) ?? 0) < repeatMs) return false;
    const { left, at } = this.#allowance.get(object) ?? { left: burst, at: now };
    const allowed = Math.min(burst, left + (now - at) / refillMs);
    if (allowed < 1) return false;
    this.#allowance.set(object, { left: allowed - 1, at: now });
    this.#written.set(key, now);
    if (this.#written.size > 1_000) this.#forgetOldest();
    return true;
  }

  #forgetOldest(): void {
    for (const map of [this.#written, this.#allowance]) {
      const [oldest] = map.keys();
      if (oldest !== undefined && map.size > 1_000) map.delete(oldest);
    }
  }
}
