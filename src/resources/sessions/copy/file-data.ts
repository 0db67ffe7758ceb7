import { InvalidInputError } from "../../../errors.js";
import { untilAborted } from "../../../internal/abort.js";
import { typeName } from "../../../internal/type-name.js";

/** The content of a file. Strings are encoded as UTF-8. Node's and the web's readable streams are async iterables. */
export type FileData = string | Uint8Array | Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>;

/** A tar archive. Node's and the web's readable streams are async iterables. */
export type ArchiveData = Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** The maximum size of the chunks that {@link chunksOf} yields, in bytes. */
const maxChunkBytes = 1024 * 1024;

/** The argument that data is passed as. An archive consists of bytes only. */
type Field = "data" | "archive";

const items: Readonly<Record<Field, string>> = { data: "strings or Uint8Arrays", archive: "Uint8Arrays" };

/** Checks the type of data, but not that of its chunks. @throws InvalidInputError */
export function checkData(data: FileData, field: Field): void {
  if (isItem(data, field) || (isIterable(data) && !ArrayBuffer.isView(data))) return;
  const whole = field === "data" ? "a string, a Uint8Array" : "a Uint8Array";
  const message = `must be ${whole}, a readable stream or an iterable of ${items[field]}, got ${typeName(data)}`;
  throw new InvalidInputError({ field, message });
}

/**
 * Yields data in chunks, without empty ones. Stops as soon as the signal aborts, without waiting for the next chunk, which may
 * never arrive.
 *
 * @throws the signal's reason; InvalidInputError for a chunk of another type
 */
export async function* chunksOf(
  data: FileData,
  field: Field,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const source = typeof data === "string" || data instanceof Uint8Array ? [data] : data;
  const iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  let isDone = false;
  try {
    for (;;) {
      const item = await untilAborted(Promise.resolve(iterator.next()), signal);
      if (item.done) break;
      yield* bytesOf(item.value, field);
    }
    isDone = true;
  } finally {
    if (!isDone) void Promise.resolve(iterator.return?.()).catch(() => {});
  }
}

function* bytesOf(item: string | Uint8Array, field: Field): Generator<Uint8Array, void, undefined> {
  if (!isItem(item, field)) {
    throw new InvalidInputError({ field, message: `must consist of ${items[field]}, got ${typeName(item)}` });
  }
  const bytes = typeof item === "string" ? Buffer.from(item) : item;
  for (let start = 0; start < bytes.length; start += maxChunkBytes) yield bytes.subarray(start, start + maxChunkBytes);
}

function isItem(value: unknown, field: Field): value is string | Uint8Array {
  return value instanceof Uint8Array || (field === "data" && typeof value === "string");
}

function isIterable(value: unknown): value is object {
  return typeof value === "object" && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value);
}

/**
 * Destroys a stream of Node.js after a failure. Ending its iteration is not enough: that waits for the next chunk, which may never
 * arrive.
 */
export function destroyData(data: FileData): void {
  if (typeof data !== "object" || !("destroy" in data) || typeof data.destroy !== "function") return;
  data.destroy();
}
