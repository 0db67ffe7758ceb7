import { ServerError, Status } from "nice-grpc-common";
import type { CallRecord } from "./calls.js";
import type { CallFaults } from "./faults/queue.js";
import type { Rpc, RpcReply } from "./rpcs.js";
import type { Clock } from "./state/clock.js";
import type { IncomingCall, Pace } from "./wire/incoming-call.js";

/** Sends the messages of a reply, changed by the faults of the call. */
export class ReplySender {
  #pace: Pace | undefined;

  constructor(
    private readonly rpc: Rpc,
    private readonly call: IncomingCall,
    private readonly record: CallRecord,
    private readonly faults: CallFaults,
    private readonly options: { readonly maxMessageBytes: number; readonly clock: Clock },
  ) {}

  /** Whether a fault replaces the whole reply, so that it does not depend on the handler. */
  get isFixed(): boolean {
    const script = this.faults.find("respond")?.reply;
    return script !== undefined && typeof script !== "function";
  }

  /** Sends a reply, or the next message of a stream. */
  async send(reply: RpcReply): Promise<void> {
    const { call, record } = this;
    const { message, zeros } = record.messagesSent === 0 ? this.#first(reply) : { message: this.#encode(reply) };
    // Count before sending, so that a test that receives the message sees it counted.
    record.messagesSent++;
    try {
      await call.send(message, { pace: this.#pace, zeros });
    } catch (error) {
      record.messagesSent--;
      throw error;
    }
  }

  #first(reply: RpcReply): { message: Uint8Array; zeros?: number } {
    const { rpc, record, faults } = this;
    this.#pace = this.#createPace();
    const script = faults.use("respond")?.reply;
    const sent = typeof script === "function" ? script(reply as never, record.request as never) : (script ?? reply);
    if (sent instanceof Uint8Array) return { message: sent };
    const oversize = faults.use("oversize");
    return oversize ? pad(rpc.encode(sent), oversize.bytes) : { message: this.#encode(sent) };
  }

  #encode(reply: RpcReply): Uint8Array {
    const { maxMessageBytes } = this.options;
    const message = this.rpc.encode(reply);
    if (message.length <= maxMessageBytes) return message;
    const details = `trying to send message larger than max (${message.length} vs. ${maxMessageBytes})`;
    throw new ServerError(Status.RESOURCE_EXHAUSTED, details);
  }

  #createPace(): Pace | undefined {
    const slow = this.faults.use("slow");
    if (!slow) return undefined;
    return {
      chunkBytes: slow.chunkBytes,
      pause: () => this.options.clock.sleep(slow.everyMs, this.call.signal),
    };
  }
}

/** The tag of a field that no message has: the highest field number, with a length. Five bytes with the length follow. */
const unknownField = [0xfa, 0xff, 0xff, 0xff, 0x0f];

/** Pads a message to a size with a field that every client skips. A larger message stays unchanged. */
function pad(message: Uint8Array, bytes: number): { message: Uint8Array; zeros: number } {
  const zeros = bytes - message.length - 2 * unknownField.length;
  if (zeros < 0) return { message, zeros: 0 };
  // Always five digits in base 128, so that the total size does not depend on the length.
  const length = [0, 1, 2, 3, 4].map((digit) => (Math.floor(zeros / 128 ** digit) % 128) | (digit < 4 ? 0x80 : 0));
  return { message: Buffer.concat([message, Uint8Array.from([...unknownField, ...length])]), zeros };
}
