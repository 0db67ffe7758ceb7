import { ClientError, Status } from "nice-grpc-common";
import { CriError, type CriErrorInit, type GrpcErrorCode, ImagePullError, NameReservedError } from "../errors.js";
import * as runtimeText from "./runtime-text.js";

/** What {@link toCriError} knows about the call that failed. */
export interface CallContext {
  endpoint: string;
  attempts: number;
  /** Whether the RPC only reads; its failure then never leaves anything behind. */
  readOnly: boolean;
  /** The image of a PullImage. */
  image?: string | undefined;
}

/** Turns a failure of a gRPC call into a {@link CriError}; anything that is not one (a middleware's own error) passes unchanged. */
export function toCriError(error: unknown, context: CallContext): unknown {
  if (!(error instanceof ClientError)) return error;
  const method = error.path.replace(/^\/runtime\.v1\./, "");
  const code = runtimeText.refineCode(Status[error.code] as GrpcErrorCode, method, error.details);
  const init: CriErrorInit = {
    code,
    message: explain(error),
    method,
    endpoint: context.endpoint,
    attempts: context.attempts,
    mayHaveTakenEffect: !context.readOnly && context.attempts > 0 && isAmbiguous(error),
    cause: error,
  };
  if (method.endsWith("/RunPodSandbox") || method.endsWith("/CreateContainer")) {
    const holder = runtimeText.nameHolder(error.details);
    if (holder) return new NameReservedError({ ...init, holderId: holder.id });
  }
  if (method.endsWith("/PullImage") && context.image !== undefined) {
    return new ImagePullError({ ...init, image: context.image, reason: runtimeText.pullFailure(code, error.details) });
  }
  return new CriError(init);
}

/**
 * Codes with which a server says that it looked at the request and refused it. Every other code may stand for a reply that was
 * lost, and CRI-O answers nearly every failure with UNKNOWN, half-done work included.
 */
const refusals: ReadonlySet<Status> = new Set([
  Status.INVALID_ARGUMENT,
  Status.NOT_FOUND,
  Status.ALREADY_EXISTS,
  Status.PERMISSION_DENIED,
  Status.UNAUTHENTICATED,
  Status.FAILED_PRECONDITION,
  Status.OUT_OF_RANGE,
  Status.UNIMPLEMENTED,
]);

function isAmbiguous(error: ClientError): boolean {
  return !refusals.has(error.code) && !runtimeText.neverReachedHandler(error.code, error.details);
}

function explain(error: ClientError): string {
  const hint = runtimeText.hint(error.code, error.details);
  return hint ? `${error.details} — ${hint}` : error.details;
}

/** Waits for a call of which CRI says that it succeeds on what is gone: some runtimes answer NOT_FOUND all the same. */
export async function ignoreMissing(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!CriError.is(error, "NOT_FOUND")) throw error;
  }
}
