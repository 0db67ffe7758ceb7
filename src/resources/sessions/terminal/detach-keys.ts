import { InvalidInputError } from "../../../errors.js";

/** Parses detach keys into their bytes; see `TerminalOptions.detachKeys`. @throws InvalidInputError */
export function parseDetachKeys(keys: string | false): Buffer {
  if (keys === false || keys === "") return Buffer.alloc(0);
  return Buffer.from(typeof keys === "string" ? keys.split(",").map(byteOf) : [byteOf(keys)]);
}

function byteOf(key: unknown): number {
  const name = typeof key === "string" ? key : "";
  const byte = name.charCodeAt(0);
  if (name.length === 1 && byte < 0x80) return byte;
  // The control key clears the upper bits of a character.
  if (/^ctrl-[a-z@[\\\]^_]$/.test(name)) return name.charCodeAt(5) & 0x1f;
  throw new InvalidInputError({
    field: "detachKeys",
    message: "must be ctrl-<a-z@[\\]^_> or single ASCII characters, separated by commas",
    value: key,
  });
}

/** Finds the detach keys in typed bytes, even if they are split between chunks. */
export class DetachKeys {
  readonly #keys: Buffer;
  #held: Buffer = Buffer.alloc(0);

  constructor(keys: Buffer) {
    this.#keys = keys;
  }

  /** Returns the bytes to send now, and whether the detach keys follow them. Holds back the beginning of the keys. */
  take(chunk: Buffer): { bytes: Buffer; detach: boolean } {
    const { length } = this.#keys;
    const bytes = Buffer.concat([this.#held, chunk]);
    const at = length > 0 ? bytes.indexOf(this.#keys) : -1;
    if (at >= 0) return { bytes: bytes.subarray(0, at), detach: true };
    let heldLength = Math.max(0, Math.min(bytes.length, length - 1));
    while (!bytes.subarray(bytes.length - heldLength).equals(this.#keys.subarray(0, heldLength))) heldLength--;
    this.#held = bytes.subarray(bytes.length - heldLength);
    return { bytes: bytes.subarray(0, bytes.length - heldLength), detach: false };
  }

  /** Returns the bytes that are held back, at the end of the input. */
  rest(): Buffer {
    return this.#held;
  }
}
