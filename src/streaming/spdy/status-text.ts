import { maxStatusBytes } from "../status.js";
import { protocolError } from "./protocol-error.js";

const space = 0x20;
const quote = 0x22;
const backslash = 0x5c;
const openingBrace = 0x7b;
const closingBrace = 0x7d;

/**
 * Collects the status of a command, which may arrive in any number of parts. Braces show where it is whole, so that each byte is
 * looked at once and nothing is parsed before.
 */
export class StatusText {
  #text = "";
  #length = 0;
  readonly #decoder = new TextDecoder();
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  #isPlain = false;
  #isWhole = false;

  /** What has arrived: a JSON object and what came with its end, or plain words. */
  get text(): string {
    return this.#text;
  }

  /** Whether a JSON object has arrived from its first brace to its last. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** Adds a part. @throws CriError INTERNAL if there is too much of it */
  add(part: Buffer): void {
    this.#length += part.length;
    if (this.#length > maxStatusBytes) throw protocolError(`a status of more than ${maxStatusBytes} bytes`);
    this.#text += this.#decoder.decode(part, { stream: true });
    for (const byte of part) this.#look(byte);
  }

  #look(byte: number): void {
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
