import { maxStatusBytes } from "../status.js";
import { protocolError } from "./errors.js";

const space = 0x20;
const quote = 0x22;
const backslash = 0x5c;
const openingBrace = 0x7b;
const closingBrace = 0x7d;

/**
 * Collects the status of a command, which may arrive in any number of parts. Counts braces to find the end of the JSON object, so
 * that each byte is scanned once and the status is parsed once.
 */
export class StatusBuffer {
  #text = "";
  #length = 0;
  readonly #decoder = new TextDecoder();
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  #isPlain = false;
  #isWhole = false;

  /** Everything received so far: a JSON object, with the rest of the part that completed it, or plain text. */
  get text(): string {
    return this.#text;
  }

  /** Whether a complete JSON object has arrived. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** Adds a part. @throws CriError INTERNAL if the status is longer than 64 KiB */
  add(part: Buffer): void {
    this.#length += part.length;
    if (this.#length > maxStatusBytes) throw protocolError(`a status of more than ${maxStatusBytes} bytes`);
    this.#text += this.#decoder.decode(part, { stream: true });
    for (const byte of part) this.#scan(byte);
  }

  #scan(byte: number): void {
    if (this.#isWhole || this.#isPlain) return;
    if (this.#isEscaped) this.#isEscaped = false;
    else if (this.#isInString) {
      this.#isEscaped = byte === backslash;
      this.#isInString = byte !== quote;
    } else if (byte === openingBrace) this.#depth++;
    else if (this.#depth === 0) this.#isPlain = byte > space;
    else if (byte === quote) this.#isInString = true;
    else if (byte === closingBrace) this.#isWhole = --this.#depth === 0;
  }
}
