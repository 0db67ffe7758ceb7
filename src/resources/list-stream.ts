import { checkOnlyCallOptions } from "../input/call-options.js";
import { CriStream } from "../internal/stream.js";
import type { CallOptions } from "../options.js";
import type { Connection } from "../transport/connection.js";

/** A list whose parts are fetched and decoded when they are requested. */
type Parts<Item> = AsyncIterable<readonly Item[]>;

/**
 * Streams the entries of a list. The first read makes the call.
 *
 * @throws InvalidInputError for invalid options
 */
export function listStream<Item>(
  connection: Connection,
  options: CallOptions = {},
  open: (options: CallOptions) => Parts<Item>,
): CriStream<Item> {
  checkOnlyCallOptions(options);
  return new CriStream((signal) => open({ ...options, signal }), options.signal ?? connection.signal);
}

/** Leaves out the entries for which a condition is false. */
export async function* only<Item>(parts: Parts<Item>, keep: (item: Item) => boolean): AsyncGenerator<readonly Item[]> {
  for await (const part of parts) yield part.filter(keep);
}
