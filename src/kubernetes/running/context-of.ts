import type { CriClient } from "../../client.js";
import { refuse, typeName } from "../../input/check.js";
import type { CallOptions } from "../../options.js";
import { type ClientContext, contextOfClient } from "../../resources/context.js";
import { neverAborts } from "../../resources/creation/clean-up.js";

/** Returns the context of a client. @throws InvalidInputError if the value is not a client */
export function contextOf(cri: CriClient): ClientContext {
  if (!(contextOfClient in Object(cri))) refuse("cri", `must be a CriClient, got ${typeName(cri)}`);
  return cri[contextOfClient];
}

/** Returns call options whose signal is that of the call, else that of the client, else one that never aborts. */
export function withSignal<T extends CallOptions>(
  options: T,
  { connection }: ClientContext,
): T & { signal: AbortSignal } {
  return { ...options, signal: options.signal ?? connection.signal ?? neverAborts };
}
