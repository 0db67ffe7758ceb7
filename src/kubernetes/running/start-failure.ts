import { errorMessage } from "../../internal/error-message.js";

/** The reasons why a container does not run, as `kubectl get pod` shows them. */
export type WaitingReason =
  | "CrashLoopBackOff"
  | "ErrImagePull"
  | "ErrImageNeverPull"
  | "ImagePullBackOff"
  | "ImageInspectError"
  | "InvalidImageName"
  | "RegistryUnavailable"
  | "SignatureValidationFailed"
  | "CreateContainerConfigError"
  | "CreateContainerError"
  | "RunContainerError"
  | "PostStartHookError";

/** A container could not be started. It is tried again later. */
export class StartFailure extends Error {
  override name = "StartFailure";
  readonly reason: WaitingReason;
  /** When it may be tried again, in milliseconds since the epoch; `undefined` leaves that to the runner. */
  readonly retryAt: number | undefined;

  constructor(reason: WaitingReason, message: string, { retryAt, cause }: { retryAt?: number; cause?: unknown } = {}) {
    super(message, { cause });
    this.reason = reason;
    this.retryAt = retryAt;
  }
}

/** Returns the error message of a failed step, without the endpoint and the code that a CriError puts around it. */
export function messageOf(error: unknown): string {
  if (typeof error === "object" && error !== null && "details" in error && typeof error.details === "string") {
    return error.details;
  }
  return errorMessage(error);
}
