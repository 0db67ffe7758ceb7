import { ClientError, type ClientMiddleware, Status } from "nice-grpc-common";
import { redactForLog, sanitize } from "../internal/redact.js";
import type { CriLogger } from "../options.js";
import { callTrace, type InternalExtension } from "./wire-options.js";

/** Logs every attempt at level `debug`, with its redacted request. */
export function loggingMiddleware(logger: CriLogger, endpoint: string): ClientMiddleware<InternalExtension> {
  return async function* logging(call, options) {
    const startedAt = performance.now();
    const method = call.method.path.replace(/^\/runtime\.v1\./, "");
    const report = (outcome: string, details?: string) =>
      log(logger, "debug", `${method} ${outcome}`, {
        method,
        endpoint,
        attempt: options[callTrace]?.attempts,
        outcome,
        durationMs: Math.round((performance.now() - startedAt) * 1_000) / 1_000,
        request: call.requestStream ? undefined : redactForLog(call.request),
        ...(details === undefined ? {} : { details: sanitize(details) }),
      });
    let outcome: [outcome: string, details?: string] = ["CANCELLED"];
    try {
      const reply = yield* call.next(call.request, options);
      outcome = ["OK"];
      return reply;
    } catch (error) {
      if (error instanceof ClientError) outcome = [Status[error.code], error.details];
      else if (!options.signal?.aborted) outcome = ["FAILED", String(error)];
      throw error;
    } finally {
      report(...outcome);
    }
  };
}

/** Writes to a logger. An error of the logger does not fail the call. */
export function log(
  logger: CriLogger | undefined,
  level: keyof CriLogger,
  message: string,
  fields: Record<string, unknown>,
): void {
  try {
    logger?.[level]?.(message, fields);
  } catch {
    // Logging must not change the result of a call.
  }
}
