import { CriError } from "../errors.js";
import type { CallOptions } from "../options.js";
import type { Rpc } from "../transport/call-policy.js";
import type { Connection } from "../transport/connection.js";
import { log } from "../transport/logging.js";
import { type InternalExtension, oneList, type RawCallOptions } from "../transport/wire-options.js";
import { startBudget } from "./budget.js";
import { type CallSubject, invoke } from "./invoke.js";

/** The two ways to one list. */
export interface ListCall<Item> {
  /** The streaming RPC, since Kubernetes 1.36 (KEP-5825). */
  streamRpc: Rpc;
  stream: (options: RawCallOptions) => AsyncIterable<readonly Item[]>;
  unary: (options: RawCallOptions) => Promise<Item[]>;
  /** The id of an entry, or of what it is about. */
  idOf: (item: Item) => string | undefined;
}

/**
 * A whole list: in batches where the runtime has the streaming RPC, so that no reply outgrows the message limit, and as one
 * reply otherwise. UNIMPLEMENTED shows on the first read of a stream and is remembered per RPC until the connection is made
 * anew. A stream that breaks midway is not worth resuming: the unary call starts over, with its own retries, on what is left
 * of the budget. Entries without an id are left out and logged: nothing can be done with them, and one must not fail the list.
 */
export async function list<Item>(
  connection: Connection,
  call: ListCall<Item>,
  options?: CallOptions,
  subject?: CallSubject,
): Promise<Item[]> {
  const items = await listAll(connection, call, options, subject);
  const named = items.filter((item) => call.idOf(item));
  if (named.length < items.length) {
    const fields = { endpoint: connection.endpoint, method: call.streamRpc, leftOut: items.length - named.length };
    log(connection.options.logger, "warn", "the runtime listed entries without an id; they are left out", fields);
  }
  return named;
}

async function listAll<Item>(
  connection: Connection,
  call: ListCall<Item>,
  options: CallOptions | undefined,
  subject: CallSubject | undefined,
): Promise<Item[]> {
  const budget = startBudget(connection, options, 1);
  if (!connection.lacks(call.streamRpc)) {
    const items: Item[] = [];
    try {
      await invoke(connection, budget.options(), (o) => collect(call.stream(asOneList(o)), items), subject);
      return items;
    } catch (error) {
      const broken = CriError.is(error, "UNAVAILABLE") && items.length > 0;
      if (!broken && !CriError.is(error, "UNIMPLEMENTED")) throw error;
      if (!broken) connection.rememberMissing(call.streamRpc);
    }
  }
  return invoke(connection, budget.options(), call.unary, subject);
}

async function collect<Item>(batches: AsyncIterable<readonly Item[]>, items: Item[]): Promise<void> {
  for await (const batch of batches) for (const item of batch) items.push(item);
}

function asOneList(options: RawCallOptions): RawCallOptions & InternalExtension {
  return { ...options, [oneList]: true };
}

/** Maps the replies of a stream to their batches. */
export async function* batches<Reply, Item>(
  replies: AsyncIterable<Reply>,
  pick: (reply: Reply) => readonly Item[],
): AsyncGenerator<readonly Item[]> {
  for await (const reply of replies) yield pick(reply);
}
