import { ClientError, Status } from "nice-grpc-common";
import {
  CriError,
  type CriErrorCode,
  type CriErrorInit,
  type GrpcErrorCode,
  ImagePullError,
  NameReservedError,
} from "../errors.js";
import { harmlessText } from "../internal/redact.js";
import type { CallOptions } from "../options.js";
import { type Effect, policyOf } from "../transport/call-policy.js";
import { neverReachedHandler } from "../transport/never-sent.js";
import type { CallTrace } from "../transport/wire-options.js";
import { pinDeadline } from "./budget.js";
import { explain, isRequestTooLarge } from "./error-messages/hint.js";
import { pullFailure } from "./error-messages/pull-failure.js";
import { refineCode } from "./error-messages/refine-code.js";
import { nameHolder } from "./error-messages/reserved-name.js";

/** What {@link toCriError} knows about the call that failed. */
export interface CallContext {
  endpoint: string;
  trace: CallTrace;
  /** The image of a PullImage. */
  image?: string | undefined;
}

/** Turns a failure of a gRPC call into a {@link CriError}; anything that is not one (a middleware's own error) passes unchanged. */
export function toCriError(error: unknown, { endpoint, trace, image }: CallContext): unknown {
  const path = error instanceof ClientError ? error.path : trace.path;
  if (path === undefined) return error;
  const method = path.replace(/^\/runtime\.v1\./, "");
  const { attempts, failures } = trace;
  if (CriError.is(error, "CLIENT_CLOSED")) {
    const mayHaveTakenEffect = attempts > 0 && policyOf(path).effect !== "reads";
    return new CriError({ code: error.code, message: error.details, method, endpoint, attempts, mayHaveTakenEffect });
  }
  if (!(error instanceof ClientError)) return error;
  const all = failures.includes(error) ? failures : [...failures, error];
  const init: CriErrorInit = {
    code: codeOf(error, method),
    message: explain(error.code, error.details),
    method,
    endpoint,
    attempts,
    mayHaveTakenEffect: attempts > 0 && all.some((failure) => isAmbiguous(failure, method, policyOf(path).effect)),
    cause: harmless(error),
  };
  if (method.endsWith("/RunPodSandbox") || method.endsWith("/CreateContainer")) {
    const holder = nameHolder(error.details);
    const earlier = failures.some((failure) => failure !== error && isAmbiguous(failure, method, "creates"));
    if (holder) return new NameReservedError({ ...init, mayHaveTakenEffect: earlier, holderId: holder.id });
  }
  if (method.endsWith("/PullImage") && image !== undefined) {
    return new ImagePullError({
      ...init,
      image,
      reason: pullFailure(init.code as GrpcErrorCode, error.details),
    });
  }
  return new CriError(init);
}

/** Codes with which a server says that it did not even begin. */
const refusals: readonly Status[] = [
  Status.INVALID_ARGUMENT,
  Status.PERMISSION_DENIED,
  Status.UNAUTHENTICATED,
  Status.UNIMPLEMENTED,
];

/** Codes that say of a change that it was not made. In the middle of a creation they may be those of a step that failed. */
const conditions: readonly CriErrorCode[] = ["NOT_FOUND", "ALREADY_EXISTS", "FAILED_PRECONDITION", "OUT_OF_RANGE"];

/**
 * Whether the runtime may have done what it was asked to. Any code but those may stand for an answer that was lost, and CRI-O
 * answers nearly every failure with UNKNOWN, half-done work included.
 */
function isAmbiguous(error: ClientError, method: string, effect: Effect): boolean {
  if (effect === "reads" || refusals.includes(error.code) || neverReachedHandler(error)) return false;
  if (isRequestTooLarge(error.code, error.details)) return false;
  return effect === "creates" || !conditions.includes(codeOf(error, method));
}

function codeOf(error: ClientError, method: string): CriErrorCode {
  return refineCode(Status[error.code] as GrpcErrorCode, method, error.details);
}

/** The original with a text that is fit to be shown: an error's cause is shown along with it. */
function harmless(error: ClientError): ClientError {
  const details = harmlessText(error.details);
  if (details === error.details) return error;
  const copy = new ClientError(error.path, error.code, details);
  // The stack begins with the text, whatever that looks like; the frames are what follows.
  const [, frames = ""] = error.stack?.split(error.message, 2) ?? [];
  copy.stack = `${copy.name}: ${copy.message}${frames}`;
  return copy;
}

/**
 * Makes a call of which CRI says that it succeeds on what is gone. Some runtimes answer NOT_FOUND all the same, but also when
 * something else was not found on the way: so a look decides. Both have what the caller gave, together.
 */
export async function ignoreMissing(
  options: CallOptions | undefined,
  call: (options: CallOptions) => Promise<unknown>,
  look: (options: CallOptions) => Promise<unknown>,
): Promise<void> {
  const pinned = pinDeadline(options ?? {});
  try {
    await call(pinned);
  } catch (error) {
    if (!CriError.is(error, "NOT_FOUND")) throw error;
    const gone = await look(pinned).then(
      () => false,
      (reason: unknown) => CriError.is(reason, "NOT_FOUND"),
    );
    if (!gone) throw error;
  }
}
