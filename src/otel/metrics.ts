import type { Attributes, Meter } from "@opentelemetry/api";
import type { OperationListener } from "../tracing/listen.js";
import type { AnyOperation, SessionOperation } from "../tracing/operations.js";
import { errorAttributes, rpcAttributes, serverAttributes } from "./attributes.js";

/** The bounds that the semantic conventions recommend for RPCs, in seconds. */
const rpcBounds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** The bounds of sessions and workflows, which may pull images and wait for containers, in seconds. */
const longBounds = [0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600];

/** Records the metrics of all operations. */
export class MetricListener implements OperationListener {
  readonly #instruments: ReturnType<typeof createInstruments>;

  constructor(meter: Meter) {
    this.#instruments = createInstruments(meter);
  }

  started(operation: AnyOperation): void {
    if (operation.kind === "session") this.#instruments.activeSessions.add(1, sessionAttributes(operation));
  }

  ended(operation: AnyOperation): void {
    const seconds = (operation.durationMs ?? 0) / 1_000;
    const failed = { ...serverAttributes(operation), ...errorAttributes(operation) };
    const { callDuration, attempts, retries, received, workflowDuration } = this.#instruments;
    const rpc = { ...rpcAttributes(operation), ...failed };
    if (operation.kind === "call") callDuration.record(seconds, rpc);
    else if (operation.kind === "workflow") {
      workflowDuration.record(seconds, { "cri.workflow.name": operation.name, ...failed });
    } else if (operation.kind === "attempt") {
      attempts.add(1, rpc);
      if (operation.attempt > 1) retries.add(1, rpc);
      received.add(operation.receivedBytes, rpc);
    } else this.#sessionEnded(operation, seconds);
  }

  #sessionEnded(session: SessionOperation, seconds: number): void {
    const { activeSessions, sessionDuration, sessionIo } = this.#instruments;
    const attributes = sessionAttributes(session);
    activeSessions.add(-1, attributes);
    sessionDuration.record(seconds, { ...attributes, ...errorAttributes(session) });
    sessionIo.add(session.sentBytes, { ...attributes, "network.io.direction": "transmit" });
    sessionIo.add(session.receivedBytes, { ...attributes, "network.io.direction": "receive" });
  }
}

function sessionAttributes(session: SessionOperation): Attributes {
  return { ...serverAttributes(session), "cri.session.kind": session.name };
}

function createInstruments(meter: Meter) {
  const duration = (name: string, description: string, bounds: number[]) =>
    meter.createHistogram(name, { description, unit: "s", advice: { explicitBucketBoundaries: bounds } });
  const counter = (name: string, description: string, unit: string) => meter.createCounter(name, { description, unit });
  return {
    callDuration: duration("rpc.client.call.duration", "Duration of calls, retries included.", rpcBounds),
    attempts: counter("cri.client.attempts", "Attempts of calls.", "{attempt}"),
    retries: counter("cri.client.retries", "Attempts after the first one of a call.", "{attempt}"),
    received: counter("cri.client.received", "Size of replies, before compression.", "By"),
    activeSessions: meter.createUpDownCounter("cri.client.session.active", {
      description: "Sessions that are open or being opened.",
      unit: "{session}",
    }),
    sessionDuration: duration("cri.client.session.duration", "Duration of sessions.", longBounds),
    sessionIo: counter("cri.client.session.io", "Bytes that sessions have carried.", "By"),
    workflowDuration: duration("cri.client.workflow.duration", "Duration of workflows.", longBounds),
  };
}
