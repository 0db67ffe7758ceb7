import { callOptionFields, checkOptions, type FieldsOf } from "../../input/call-options.js";
import type { CallOptions } from "../../options.js";
import { callOptionsOf } from "../../rpcs/budget.js";
import { attachUrl, execUrl } from "../../rpcs/stream-urls.js";
import type { Connection } from "../../transport/connection.js";
import { checkCommand } from "./check-command.js";
import { checkStreams, type StreamOptions } from "./stream-options.js";

/** Options of the RPCs that return URLs of streaming sessions. */
export interface StreamUrlOptions extends CallOptions, Omit<StreamOptions, "terminalSize"> {}

const streamUrlFields: FieldsOf<StreamUrlOptions> = {
  stdin: true,
  stdout: true,
  stderr: true,
  tty: true,
  ...callOptionFields,
};

/** Requests the URL of an exec session. */
export async function requestExecUrl(
  connection: Connection,
  containerId: string,
  command: readonly string[],
  options: StreamUrlOptions = {},
): Promise<string> {
  checkOptions(options, streamUrlFields);
  checkCommand(command);
  const request = { containerId, cmd: [...command], ...checkStreams(options) };
  return execUrl(connection, request, callOptionsOf(options));
}

/** Requests the URL of an attach session. */
export async function requestAttachUrl(
  connection: Connection,
  containerId: string,
  options: StreamUrlOptions = {},
): Promise<string> {
  checkOptions(options, streamUrlFields);
  return attachUrl(connection, { containerId, ...checkStreams(options) }, callOptionsOf(options));
}
