import type { CallOptions } from "../options.js";
import type { AttachRequest, ExecRequest } from "../proto.js";
import type { Connection } from "../transport/connection.js";
import { checkId, requireFields } from "./checked.js";
import { invoke } from "./invoke.js";

/*
 * Each of these RPCs returns a URL whose last path segment is a token. It is valid for one connection within a minute, and no other
 * credential is needed, so the URL is a secret.
 */

/** Calls Exec. Returns the URL of a streaming session. */
export async function execUrl(connection: Connection, request: ExecRequest, options?: CallOptions): Promise<string> {
  const containerId = checkId(request.containerId, "container");
  const { url } = await invoke(connection, options, (o) => connection.runtime.exec({ ...request, containerId }, o));
  requireFields(connection, "RuntimeService/Exec", { url });
  return url;
}

/** Calls Attach. Returns the URL of a streaming session. */
export async function attachUrl(
  connection: Connection,
  request: AttachRequest,
  options?: CallOptions,
): Promise<string> {
  const containerId = checkId(request.containerId, "container");
  const { url } = await invoke(connection, options, (o) => connection.runtime.attach({ ...request, containerId }, o));
  requireFields(connection, "RuntimeService/Attach", { url });
  return url;
}

/** Calls PortForward. Returns the URL of a streaming session. */
export async function portForwardUrl(
  connection: Connection,
  id: string,
  port: number[],
  options?: CallOptions,
): Promise<string> {
  const podSandboxId = checkId(id, "pod");
  const { url } = await invoke(connection, options, (o) => connection.runtime.portForward({ podSandboxId, port }, o));
  requireFields(connection, "RuntimeService/PortForward", { url });
  return url;
}
