import type { FieldsOf } from "../../input/call-options.js";
import { isSet, requiredString, stringMap } from "../../input/check.js";
import type { Container, PodSandbox } from "../../proto.js";
import { podMatcher } from "../pod-filter.js";
import { idOf, type PodTarget } from "../target.js";
import type { CriEvent, NodeState } from "./event.js";
import type { Subscriber } from "./subscriber.js";

/** Selects pods and their containers. The pods must match every field. Without any field, selects the whole node. */
export interface NodeFilter {
  /** Only this pod and its containers. If an id is a prefix of several ids, it selects all of these pods. */
  pod?: PodTarget | undefined;
  /**
   * Only pods with exactly these labels, and their containers. The labels of the containers do not matter. A container whose pod
   * the runtime has never listed or reported does not match.
   */
  labels?: Readonly<Record<string, string>> | undefined;
  /** Only pods in this namespace, and their containers. */
  namespace?: string | undefined;
}

/** The fields of {@link NodeFilter}, for the fields of options that extend it. */
export const nodeFilterFields: FieldsOf<NodeFilter> = { pod: true, labels: true, namespace: true };

/** Wraps a subscriber so that it receives only a part of the node. */
export type SubscriberFilter = (subscriber: Subscriber) => Subscriber;

/** Checks a filter. @throws InvalidInputError */
export function subscriberFilter({ pod, labels, namespace }: NodeFilter): SubscriberFilter {
  const id = isSet(pod) ? idOf(pod, "pod") : undefined;
  const checkedLabels = stringMap(labels, "labels");
  const checkedNamespace = isSet(namespace) ? requiredString(namespace, "namespace") : undefined;
  const needsPod = checkedNamespace !== undefined || Object.keys(checkedLabels).length > 0;
  if (id === undefined && !needsPod) return (subscriber) => subscriber;
  const isSelected = podMatcher({ id, labels: checkedLabels, namespace: checkedNamespace });
  return (subscriber) => new FilteredSubscriber(subscriber, isSelected, needsPod ? undefined : id);
}

/** The limit for the ids of removed pods that a filter keeps. */
const maxRemovedPods = 1_000;

/** Passes on the selected part of the events and states of a watch. */
class FilteredSubscriber implements Subscriber {
  readonly #subscriber: Subscriber;
  readonly #isSelected: (pod: PodSandbox) => boolean;
  readonly #containerPodId: string | undefined;
  /** The ids of selected pods. Those of removed pods are kept, because events of their containers may arrive later. */
  readonly #podIds = new Set<string>();

  /** @param containerPodId selects containers by the id of their pod alone, even if the runtime does not list the pod */
  constructor(subscriber: Subscriber, isSelected: (pod: PodSandbox) => boolean, containerPodId: string | undefined) {
    this.#subscriber = subscriber;
    this.#isSelected = isSelected;
    this.#containerPodId = containerPodId;
  }

  changed(events: readonly CriEvent[], state: NodeState): void {
    // A pod's labels and namespace never change, so a pod that was selected once stays selected.
    for (const event of events) {
      if (event.type === "resync") for (const pod of event.pods.values()) this.#addIfSelected(pod);
      else if ("pod" in event) this.#addIfSelected(event.pod);
    }
    this.#dropOldest(state);
    const isOfSelectedPod = (event: CriEvent) =>
      event.type === "resync" ||
      ("pod" in event ? this.#podIds.has(event.pod.id) : this.#hasContainer(event.container));
    const selectedEvents = events.filter(isOfSelectedPod);
    if (selectedEvents.length === 0) return;
    const selectedState = this.#select(state);
    this.#subscriber.changed(
      selectedEvents.map((event) => (event.type === "resync" ? { ...event, ...selectedState } : event)),
      selectedState,
    );
  }

  failed(reason: unknown): void {
    this.#subscriber.failed(reason);
  }

  #addIfSelected(pod: PodSandbox): void {
    if (this.#isSelected(pod)) this.#podIds.add(pod.id);
  }

  #hasContainer({ podSandboxId }: Container): boolean {
    const podId = this.#containerPodId;
    return this.#podIds.has(podSandboxId) || (podId !== undefined && podSandboxId.startsWith(podId));
  }

  #select({ pods, containers }: NodeState): NodeState {
    return {
      pods: new Map([...pods].filter(([id]) => this.#podIds.has(id))),
      containers: new Map([...containers].filter(([, container]) => this.#hasContainer(container))),
    };
  }

  #dropOldest({ pods }: NodeState): void {
    for (const id of this.#podIds) {
      if (this.#podIds.size <= pods.size + maxRemovedPods) return;
      if (!pods.has(id)) this.#podIds.delete(id);
    }
  }
}
