/** Longer than any runtime's message about a command that it could not start. */
export const maxMessageBytes = 4_096;

/**
 * Keeps a copy of a command's output while it is at most 4 KiB. CRI-O and Docker write the error for a command that they could not
 * start to its output.
 */
export class ShortOutput {
  #chunks: Buffer[] = [];
  #length = 0;

  /** The length of all output, in bytes. */
  get length(): number {
    return this.#length;
  }

  add(bytes: Buffer): void {
    const isLong = this.#length > maxMessageBytes;
    this.#length += bytes.length;
    if (isLong) return;
    // A slice would keep the whole chunk of the socket in memory.
    if (this.#length > maxMessageBytes) this.#chunks = [];
    else this.#chunks.push(Buffer.from(bytes));
  }

  /** All output in the order of its arrival, or undefined if it is longer than 4 KiB. */
  get text(): string | undefined {
    return this.#length > maxMessageBytes ? undefined : Buffer.concat(this.#chunks).toString();
  }
}
