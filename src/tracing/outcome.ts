import { ClientError, Status } from "nice-grpc-common";
import { CriError } from "../errors.js";

/** Returns the code of an error for {@link Operation.outcome}. Error messages may contain anything, so they are not used. */
export function outcomeOf(error: unknown, signal?: AbortSignal): string {
  if (CriError.is(error)) return error.code;
  if (error instanceof ClientError) return statusName(error);
  if (signal?.aborted) return "CANCELLED";
  const name = error instanceof Error ? error.name : "";
  if (name === "AbortError") return "CANCELLED";
  return /^\w{1,64}$/.test(name) ? name : "Error";
}

/** Returns the name of the gRPC status with which a call ended. Calls that the client itself ended are cancelled. */
export function statusOf(error: unknown): string {
  return error instanceof ClientError ? statusName(error) : "CANCELLED";
}

function statusName({ code }: ClientError): string {
  return Status[code] ?? "UNKNOWN";
}
