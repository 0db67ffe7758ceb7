import { isDeepStrictEqual } from "node:util";
import type { ReplyDecoder } from "../decoders.js";
import type { ReplyReader } from "./reply-reader.js";
import { EncodedMessage } from "./same-fields.js";

/** An entry of a list with its bytes. */
interface Known {
  readonly item: object;
  readonly encoded: EncodedMessage;
}

/** The tag of the entries in the reply to a list, and of the id in an entry: field 1 with a length. */
const firstField = 10;

/**
 * Remembers the entries of a list that is fetched again and again. An entry that has not changed is neither decoded nor created again:
 * each list has the same object. Decoding and comparing it would take ten times as long.
 *
 * The messages of the lists have their entries in field 1, and the entries their ids.
 */
export class ReplyMemory {
  #last = new Map<string, Known>();
  #next = new Map<string, Known>();

  /** Forgets entries that the list did not have. Call this after each list. */
  endList(): void {
    this.#last = this.#next;
    this.#next = new Map();
  }

  /** Reads fields into a message up to a position, as its decoder does. */
  read<T>(decoder: ReplyDecoder<T>, reader: ReplyReader, end: number, message: T): boolean {
    const bytes = reader.buffer;
    const [items] = Object.values(message as Record<string, object[]>);
    if (!items) return decoder.read(reader, end, message);
    while (reader.pos < end) {
      const fieldStart = reader.pos;
      const entryEnd = reader.tag() === firstField ? reader.end() : undefined;
      const entryStart = reader.pos;
      const id = entryEnd === undefined ? undefined : idOf(bytes, entryStart);
      const known = id === undefined ? undefined : (this.#last.get(id) ?? this.#next.get(id));
      if (entryEnd !== undefined && id !== undefined && known?.encoded.hasFieldsOf(bytes, entryStart, entryEnd)) {
        reader.pos = entryEnd;
        items.push(known.item);
        this.#next.set(id, known);
        continue;
      }
      // Reads exactly one field.
      reader.pos = fieldStart;
      if (!decoder.read(reader, fieldStart + 1, message)) return false;
      const decoded = entryEnd && items.at(-1);
      if (!decoded || id === undefined) continue;
      const item = known && isDeepStrictEqual(known.item, decoded) ? known.item : decoded;
      items[items.length - 1] = item;
      this.#next.set(id, { item, encoded: new EncodedMessage(bytes.subarray(entryStart, entryEnd)) });
    }
    return true;
  }
}

/** Returns the id of the entry at a position, if the id is its first field. */
function idOf(bytes: Buffer, start: number): string | undefined {
  const length = bytes[start + 1] ?? 0;
  if (bytes[start] !== firstField || length >= 0x80) return undefined;
  return bytes.toString("latin1", start + 2, start + 2 + length);
}
