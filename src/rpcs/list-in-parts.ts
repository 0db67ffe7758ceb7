import { CriError } from "../errors.js";
import { linkAbort } from "../internal/abort.js";
import type { CallOptions } from "../options.js";
import type { Connection } from "../transport/connection.js";
import {
  type InternalExtension,
  type RawCallOptions,
  type ReplySlices,
  slicesListener,
} from "../transport/wire-options.js";
import { startBudget } from "./budget.js";
import { type CallSubject, invokeStream } from "./invoke.js";
import { asOneList, hasMiddleware, identify, type ListCall, reportOmitted } from "./list.js";

/** A part of a list. It may be empty. */
type Part<Item> = readonly Item[];

/**
 * Fetches a list as {@link list} does, and yields it in parts. Decodes a part when it is requested, and keeps none.
 *
 * If a stream breaks midway, this fails, because the unary RPC would repeat entries.
 */
export async function* listInParts<Item extends object>(
  connection: Connection,
  call: ListCall<Item>,
  options?: CallOptions,
  subject?: CallSubject,
): AsyncGenerator<Part<Item>, void, undefined> {
  let omitted = 0;
  try {
    for await (const items of allParts(connection, call, options, subject)) {
      const identified = identify(call, items);
      omitted += items.length - identified.length;
      yield identified;
    }
  } finally {
    reportOmitted(connection, call, omitted);
  }
}

async function* allParts<Item>(
  connection: Connection,
  call: ListCall<Item>,
  options: CallOptions | undefined,
  subject: CallSubject | undefined,
): AsyncGenerator<Part<Item>, void, undefined> {
  const budget = startBudget(connection, options, 1);
  if (!connection.lacks(call.streamRpc)) {
    let hasBegun = false;
    try {
      const parts = invokeStream(connection, budget.options(), (o) => streamParts(connection, call, o), subject);
      for await (const part of parts) {
        hasBegun = true;
        yield part;
      }
      return;
    } catch (error) {
      if (hasBegun || !CriError.is(error, "UNIMPLEMENTED")) throw error;
      connection.rememberMissing(call.streamRpc);
    }
  }
  yield* invokeStream(connection, budget.options(), (o) => unaryParts(connection, call, o), subject);
}

async function* streamParts<Item>(
  connection: Connection,
  call: ListCall<Item>,
  options: RawCallOptions,
): AsyncGenerator<Part<Item>> {
  const whole = asOneList(options);
  if (hasMiddleware(connection)) return yield* call.stream(whole);
  const sliced: InternalExtension = { ...whole, [slicesListener]: () => {} };
  // After each slice, the same array arrives again.
  for await (const items of call.stream(sliced)) yield items.splice(0);
}

async function* unaryParts<Item>(
  connection: Connection,
  call: ListCall<Item>,
  options: RawCallOptions,
): AsyncGenerator<Part<Item>> {
  if (hasMiddleware(connection)) return yield await call.unary(options);
  let slices: ReplySlices | undefined;
  const sliced: InternalExtension = { ...options, [slicesListener]: (given) => (slices = given) };
  const items = await call.unary(sliced);
  // The call has ended, and no longer listens to these signals.
  const link = linkAbort(options.signal, ...connection.closing);
  try {
    for await (const _ of slices?.(link.signal) ?? []) yield items.splice(0);
  } finally {
    link.unlink();
  }
}
