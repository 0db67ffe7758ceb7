import { CriError } from "../errors.js";
import type { MessageType } from "../internal/message-shape.js";
import { withToJson } from "../json/stringify.js";
import type { CallOptions } from "../options.js";
import type { Rpc } from "../transport/call-policy.js";
import type { Connection } from "../transport/connection.js";
import { log } from "../transport/logging.js";
import type { ReplyMemory } from "../transport/reply-memory.js";
import { type InternalExtension, oneList, type RawCallOptions, replyMemory } from "../transport/wire-options.js";
import { startBudget } from "./budget.js";
import { type CallSubject, invoke } from "./invoke.js";

/** The streaming and the unary RPC for a list. */
export interface ListCall<Item> {
  /** The type of the entries. */
  type: MessageType<Item>;
  /** The streaming RPC, since Kubernetes 1.36 (KEP-5825). */
  streamRpc: Rpc;
  stream: (options: RawCallOptions) => AsyncIterable<Item[]>;
  unary: (options: RawCallOptions) => Promise<Item[]>;
  /** The id of an entry, or of the object that it describes. */
  idOf: (item: Item) => string | undefined;
  /**
   * The entries of earlier lists. Those that have not changed are the same objects in this list. Not used if the program has its own
   * middleware, which may change the entries.
   *
   * @defaultValue none
   */
  memory?: ReplyMemory | undefined;
}

/**
 * Fetches a whole list. Uses the streaming RPC if the runtime has it, so that no reply exceeds the message limit, and the unary RPC
 * otherwise. UNIMPLEMENTED arrives with the first read of a stream; the connection remembers it per RPC until it reconnects.
 *
 * If a stream breaks midway, the unary RPC starts over, with its own retries and the remaining time. Entries without an id are
 * omitted and logged: they are of no use, and must not fail the whole list.
 */
export async function list<Item extends object>(
  connection: Connection,
  call: ListCall<Item>,
  options?: CallOptions,
  subject?: CallSubject,
): Promise<Item[]> {
  const items = await listAll(connection, call, options, subject);
  call.memory?.endList();
  const identified = identify(call, items);
  reportOmitted(connection, call, items.length - identified.length);
  return identified;
}

/** Returns the entries that have an id, with their `toJSON`. */
export function identify<Item extends object>(call: ListCall<Item>, items: readonly Item[]): Item[] {
  const identified = items.filter((item) => call.idOf(item));
  for (const item of identified) withToJson(call.type, item);
  return identified;
}

export function reportOmitted<Item>(
  { options, endpoint }: Connection,
  { streamRpc }: ListCall<Item>,
  omitted: number,
): void {
  if (omitted === 0) return;
  const fields = { endpoint, method: streamRpc, omitted };
  log(options.logger, "warn", "the runtime listed entries without an id; they are omitted", fields);
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
      const send = (o: RawCallOptions) => collect(call.stream(asOneList(remembering(connection, call, o))), items);
      await invoke(connection, budget.options(), send, subject);
      return items;
    } catch (error) {
      const brokeMidway = CriError.is(error, "UNAVAILABLE") && items.length > 0;
      if (!brokeMidway && !CriError.is(error, "UNIMPLEMENTED")) throw error;
      if (!brokeMidway) connection.rememberMissing(call.streamRpc);
    }
  }
  return invoke(connection, budget.options(), (o) => call.unary(remembering(connection, call, o)), subject);
}

function remembering<Item>(
  connection: Connection,
  { memory }: ListCall<Item>,
  options: RawCallOptions,
): RawCallOptions & InternalExtension {
  return memory && !hasMiddleware(connection) ? { ...options, [replyMemory]: memory } : options;
}

/** Returns whether a program's own middleware receives the replies. It expects whole ones, and may keep or replace them. */
export function hasMiddleware({ options }: Connection): boolean {
  return Boolean(options.middleware?.length || options.attemptMiddleware?.length);
}

async function collect<Item>(batches: AsyncIterable<Item[]>, items: Item[]): Promise<void> {
  for await (const batch of batches) for (const item of batch) items.push(item);
}

/** Limits the size of the whole stream, not only of each reply. */
export function asOneList(options: RawCallOptions): RawCallOptions & InternalExtension {
  return { ...options, [oneList]: true };
}

/** Maps the replies of a stream to their entries. */
export async function* batches<Reply, Item>(
  replies: AsyncIterable<Reply>,
  pick: (reply: Reply) => Item[],
): AsyncGenerator<Item[]> {
  for await (const reply of replies) yield pick(reply);
}
