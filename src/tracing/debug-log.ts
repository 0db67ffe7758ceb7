import { debuglog } from "node:util";
import { listen } from "./listen.js";
import type { AnyOperation } from "./operations.js";
import { processWide } from "./process-wide.js";

/** Whether one of the copies of this package writes the lines. */
const state = processWide("debug-log", () => ({ isStarted: false }));

/** Writes a line to standard error for each operation that ends, if `NODE_DEBUG` contains `k8s-cri-client`. */
export function startDebugLog(): void {
  if (state.isStarted) return;
  state.isStarted = true;
  const log = debuglog("k8s-cri-client");
  if (log.enabled) listen({ ended: (operation) => log("%s", describe(operation)) });
}

/** Describes an ended operation in one line: `#3 call RuntimeService/Version OK 2.1 ms attempts=1 in=#1`. */
export function describe(operation: AnyOperation): string {
  const { id, kind, name, outcome, durationMs = 0, parent, startedBy, subject, endpoint } = operation;
  const fields = Object.entries({
    ...detailsOf(operation),
    ...subject,
    endpoint,
    in: parent && `#${parent.id}`,
    startedBy: startedBy && `#${startedBy.id}`,
  });
  const known = fields.filter(([, value]) => value !== undefined).map(([key, value]) => `${key}=${value}`);
  return [`#${id}`, kind, name, outcome, `${durationMs.toFixed(1)} ms`, ...known].join(" ");
}

function detailsOf(operation: AnyOperation): Record<string, unknown> {
  switch (operation.kind) {
    case "call":
      return { attempts: operation.attempts, exitCode: operation.exitCode };
    case "attempt":
      return { attempt: operation.attempt, receivedBytes: operation.receivedBytes };
    case "session": {
      const { transport, exitCode, sentBytes, receivedBytes } = operation;
      return { transport, exitCode, sentBytes, receivedBytes };
    }
    case "workflow":
      return { events: operation.events.length > 0 ? operation.events.join(",") : undefined };
  }
}
