import { ClientError, Status } from "nice-grpc-common";
import { CriError } from "../errors.js";
import { NoLongerNeeded } from "../internal/abort.js";
import type { Operation } from "./operation.js";

/** Publishes that an operation has ended with an error. */
export function finishWith(operation: Operation, error: unknown, signal?: AbortSignal): void {
  operation.finish(outcomeOf(error, signal), !(error instanceof NoLongerNeeded));
}

/** Returns the code of an error for {@link Operation.outcome}. Error messages may contain anything, so they are not used. */
export function outcomeOf(error: unknown, signal?: AbortSignal): string {
  if (CriError.is(error)) return error.code;
  if (error instanceof ClientError) return statusName(error);
  if (signal?.aborted) return "CANCELLED";
  const name = error instanceof Error ? error.name : "";
  if (name === "AbortError") return "CANCELLED";
  return /^\w{1,64}$/.test(name) ? name : "Error";
}

/**
 * Returns the name of the gRPC status with which a call ended. Calls that the client itself ended are cancelled. Returns `undefined`
 * for errors that are not the end of a call, such as invalid options.
 */
export function statusOf(error: unknown, signal?: AbortSignal): string | undefined {
  if (error instanceof ClientError) return statusName(error);
  const isCancelled = CriError.is(error, "CLIENT_CLOSED") || outcomeOf(error, signal) === "CANCELLED";
  return isCancelled || (signal?.aborted && error === signal.reason) ? "CANCELLED" : undefined;
}

function statusName({ code }: ClientError): string {
  return Status[code] ?? "UNKNOWN";
}
