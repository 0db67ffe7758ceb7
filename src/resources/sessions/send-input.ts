import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";

/**
 * Sends the whole input, then ends it. Succeeds even if the command does not read all of it.
 *
 * @throws the error of the input, even if its code is `EPIPE`: the command has received only a part of the input
 */
export async function sendInput(stdin: Writable, input: AsyncIterable<unknown> | Iterable<unknown>): Promise<void> {
  let failure: { readonly error: unknown } | undefined;
  async function* recordingFailure() {
    const items = Symbol.asyncIterator in input ? input[Symbol.asyncIterator]() : input[Symbol.iterator]();
    try {
      for (;;) {
        let item: IteratorResult<unknown>;
        try {
          item = await items.next();
        } catch (error) {
          failure = { error };
          throw error;
        }
        if (item.done) return;
        yield item.value;
      }
    } finally {
      await items.return?.();
    }
  }
  try {
    await pipeline(Readable.from(recordingFailure(), { objectMode: false }), stdin);
  } catch (error) {
    if (failure) throw failure.error;
    if (!isInputClosed(error)) throw error;
  }
}

/** Returns whether a write failed because the command had ended or had closed its input. */
function isInputClosed(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return code === "EPIPE" || code === "ERR_STREAM_PREMATURE_CLOSE" || code === "ERR_STREAM_DESTROYED";
}
