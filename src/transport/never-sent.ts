import { ClientError, Status } from "nice-grpc-common";

/**
 * Whether a failure proves that no handler of the runtime saw the request: grpc-js had no connection to send it on, or
 * containerd was still starting. Such a call can be repeated whatever it does.
 */
export function neverReachedHandler(error: unknown): boolean {
  if (!(error instanceof ClientError)) return false;
  if (isStartingUp(error.code, error.details)) return true;
  return error.code === Status.UNAVAILABLE && /^(No connection established|Name resolution failed)/.test(error.details);
}

/** Whether containerd answers, but does not work yet. 1.6 says so with UNKNOWN, later ones with UNAVAILABLE. */
export function isStartingUp(code: Status, details: string): boolean {
  return (
    (code === Status.UNAVAILABLE && /server is not initialized yet/.test(details)) ||
    (code === Status.UNKNOWN && details === "server is not initialized yet")
  );
}
