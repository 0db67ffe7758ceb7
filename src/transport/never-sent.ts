import { ClientError, Status } from "nice-grpc-common";

/**
 * Returns whether an error proves that no handler of the runtime received the request: grpc-js had no connection, or containerd
 * was still starting. Repeating the call is then safe, whatever its effect.
 */
export function neverReachedHandler(error: unknown): boolean {
  if (!(error instanceof ClientError)) return false;
  if (isStartingUp(error.code, error.details)) return true;
  return error.code === Status.UNAVAILABLE && /^(No connection established|Name resolution failed)/.test(error.details);
}

/**
 * Returns whether an error means that containerd is still starting. containerd 1.6 answers UNKNOWN, later versions UNAVAILABLE.
 */
export function isStartingUp(code: Status, details: string): boolean {
  return (
    (code === Status.UNAVAILABLE && /server is not initialized yet/.test(details)) ||
    (code === Status.UNKNOWN && details === "server is not initialized yet")
  );
}
