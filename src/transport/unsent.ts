import { ClientError, Status } from "nice-grpc-common";

/**
 * Whether a failure proves that no handler of the runtime saw the request: grpc-js had no connection to send it on, or
 * containerd was still starting. Such a call can be repeated whatever it does.
 */
export function neverReachedHandler(error: unknown): boolean {
  if (!(error instanceof ClientError) || error.code !== Status.UNAVAILABLE) return false;
  return /^(No connection established|Name resolution failed)|server is not initialized yet/.test(error.details);
}
