import type { CallOptions } from "../options.js";
import type { AttachRequest, ExecRequest } from "../proto.js";
import type { Connection } from "../transport/connection.js";
import { checkId, demand } from "./checked.js";
import { invoke } from "./invoke.js";

/*
 * Each of these hands out a URL whose last path segment is a token: good for one connection within a minute, and for nothing
 * else needed to use it. It is a secret.
 */

/** Exec: the URL of a streaming session. */
export async function execUrl(connection: Connection, request: ExecRequest, options?: CallOptions): Promise<string> {
  const containerId = checkId(request.containerId, "container");
  const { url } = await invoke(connection, options, (o) => connection.runtime.exec({ ...request, containerId }, o));
  demand(connection, "RuntimeService/Exec", { url });
  return url;
}

/** Attach: the URL of a streaming session. */
export async function attachUrl(
  connection: Connection,
  request: AttachRequest,
  options?: CallOptions,
): Promise<string> {
  const containerId = checkId(request.containerId, "container");
  const { url } = await invoke(connection, options, (o) => connection.runtime.attach({ ...request, containerId }, o));
  demand(connection, "RuntimeService/Attach", { url });
  return url;
}

/** PortForward: the URL of a streaming session. */
export async function portForwardUrl(
  connection: Connection,
  id: string,
  port: number[],
  options?: CallOptions,
): Promise<string> {
  const podSandboxId = checkId(id, "pod");
  const { url } = await invoke(connection, options, (o) => connection.runtime.portForward({ podSandboxId, port }, o));
  demand(connection, "RuntimeService/PortForward", { url });
  return url;
}
