import { ClientError, Status } from "nice-grpc-common";
import {
  CriError,
  type CriErrorCode,
  type CriErrorInit,
  type GrpcErrorCode,
  ImagePullError,
  NameReservedError,
} from "../errors.js";
import { sanitize } from "../internal/redact.js";
import type { CallOptions } from "../options.js";
import { type Effect, policyOf } from "../transport/call-policy.js";
import { neverReachedHandler } from "../transport/never-sent.js";
import type { CallTrace } from "../transport/wire-options.js";
import { pinDeadline } from "./budget.js";
import { explain, isRequestTooLarge } from "./error-messages/hint.js";
import { pullFailure } from "./error-messages/pull-failure.js";
import { refineCode } from "./error-messages/refine-code.js";
import { nameHolder } from "./error-messages/reserved-name.js";

/** The call that failed, for {@link toCriError}. */
export interface CallContext {
  endpoint: string;
  trace: CallTrace;
  /** The image of a PullImage. */
  image?: string | undefined;
}

/** Converts the error of a gRPC call to a {@link CriError}. Returns other errors, such as those of a middleware, unchanged. */
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
    code: refinedCode(error, method),
    message: explain(error.code, error.details),
    method,
    endpoint,
    attempts,
    mayHaveTakenEffect: attempts > 0 && all.some((failure) => isAmbiguous(failure, method, policyOf(path).effect)),
    cause: withoutSecrets(error),
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

/** Returns the code of the error that {@link toCriError} returns; `undefined` if that is not a {@link CriError}. */
export function codeOf(error: unknown, trace: CallTrace): CriErrorCode | undefined {
  const converted = toCriError(error, { endpoint: "", trace });
  return CriError.is(converted) ? converted.code : undefined;
}

/** Codes with which a server refuses a call before it does anything. */
const refusals: readonly Status[] = [
  Status.INVALID_ARGUMENT,
  Status.PERMISSION_DENIED,
  Status.UNAUTHENTICATED,
  Status.UNIMPLEMENTED,
];

/** Codes that mean that a change was not made. During a creation, they may be the codes of a failed step. */
const conditions: readonly CriErrorCode[] = ["NOT_FOUND", "ALREADY_EXISTS", "FAILED_PRECONDITION", "OUT_OF_RANGE"];

/**
 * Returns whether the call may have taken effect. Any code that is not listed above may mean that the reply was lost. CRI-O answers
 * nearly every failure with UNKNOWN, even after part of the work is done.
 */
function isAmbiguous(error: ClientError, method: string, effect: Effect): boolean {
  if (effect === "reads" || refusals.includes(error.code) || neverReachedHandler(error)) return false;
  if (isRequestTooLarge(error.code, error.details)) return false;
  return effect === "creates" || !conditions.includes(refinedCode(error, method));
}

function refinedCode(error: ClientError, method: string): CriErrorCode {
  return refineCode(Status[error.code] as GrpcErrorCode, method, error.details);
}

/** Copies the original error with a sanitized message, because Node.js prints an error's cause with it. */
function withoutSecrets(error: ClientError): ClientError {
  const details = sanitize(error.details);
  if (details === error.details) return error;
  const copy = new ClientError(error.path, error.code, details);
  // The stack begins with the message, which may have several lines; the frames follow.
  const [, frames = ""] = error.stack?.split(error.message, 2) ?? [];
  copy.stack = `${copy.name}: ${copy.message}${frames}`;
  return copy;
}

/**
 * Makes a call that CRI requires to succeed if the object does not exist. Some runtimes answer NOT_FOUND, but they also do so when
 * something else was not found. So a second call checks whether the object exists. The caller's limit applies to both together.
 *
 * @param check rejects with NOT_FOUND if the object does not exist
 */
export async function ignoreMissing(
  options: CallOptions | undefined,
  call: (options: CallOptions) => Promise<unknown>,
  check: (options: CallOptions) => Promise<unknown>,
): Promise<void> {
  const pinned = pinDeadline(options ?? {});
  try {
    await call(pinned);
  } catch (error) {
    if (!CriError.is(error, "NOT_FOUND")) throw error;
    const isMissing = await check(pinned).then(
      () => false,
      (reason: unknown) => CriError.is(reason, "NOT_FOUND"),
    );
    if (!isMissing) throw error;
  }
}
