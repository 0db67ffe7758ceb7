import { type Channel, channel } from "node:diagnostics_channel";

/** The kinds of operations, each with channels of its own. */
export const operationKinds = ["call", "attempt", "session", "workflow"] as const;
export type OperationKind = (typeof operationKinds)[number];

/** The events of a tracing channel of Node.js, which an asynchronous operation publishes. */
const events = ["start", "end", "asyncStart", "asyncEnd", "error"] as const;
type Channels = Readonly<Record<(typeof events)[number], Channel>>;

/** Returns the channels that `tracingChannel("k8s-cri-client:call")` subscribes to. */
function channelsOf(kind: OperationKind): Channels {
  const named = events.map((event) => [event, channel(`tracing:k8s-cri-client:${kind}:${event}`)]);
  return Object.fromEntries(named) as Channels;
}

const channels = Object.fromEntries(operationKinds.map((kind) => [kind, channelsOf(kind)])) as Readonly<
  Record<OperationKind, Channels>
>;
const allChannels = Object.values(channels).flatMap((ofKind) => Object.values(ofKind));

/** Returns whether anything listens. If not, operations are neither created nor published. Takes well below a microsecond. */
export function isTraced(): boolean {
  for (const one of allChannels) if (one.hasSubscribers) return true;
  return false;
}

/** Publishes an operation on a channel of its kind. */
export function publish(operation: { readonly kind: OperationKind }, event: (typeof events)[number]): void {
  channels[operation.kind][event].publish(operation);
}
