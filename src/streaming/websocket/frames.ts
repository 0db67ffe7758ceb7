/** Kubernetes' channel protocol over WebSocket, version 4. */
export const v4 = "v4.channel.k8s.io";
/** v4 plus a message that ends a channel. */
export const v5 = "v5.channel.k8s.io";

/** The first byte of every message of a remote command. */
export const channels = { stdin: 0, stdout: 1, stderr: 2, status: 3, resize: 4, end: 255 } as const;

/** Longest payload of a sent message, as large as the chunks of a file stream. All servers accept far more. */
export const maxChunkBytes = 64 * 1024;

/** Limit on a received message. Known servers send 32 KiB; others may send more. */
export const maxMessageBytes = 4 * 1024 * 1024;

/** Encodes a message: the channel, then the bytes. Servers read frame by frame, so send it as one frame. */
export function encodeFrame(channel: number, payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(payload.length + 1);
  frame[0] = channel;
  frame.set(payload, 1);
  return frame;
}

/** Decodes a message. Returns undefined for one without payload, which servers send first to signal that they are ready. */
export function decodeFrame(message: Buffer): { channel: number; payload: Buffer } | undefined {
  const [channel] = message;
  return channel === undefined || message.length === 1 ? undefined : { channel, payload: message.subarray(1) };
}

/** Encodes the message that ends a channel on {@link v5}. */
export function encodeEnd(channel: number): Buffer {
  return Buffer.of(channels.end, channel);
}

/** Encodes a terminal's size. Returns undefined for a size below 1 or above 65535, because conmon-rs breaks the session over it. */
export function encodeResize(size: { columns: number; rows: number }): Buffer | undefined {
  const [width, height] = [size.columns, size.rows].map(Math.trunc) as [number, number];
  const fits = (cells: number) => cells >= 1 && cells <= 0xffff;
  if (!fits(width) || !fits(height)) return undefined;
  // conmon-rs requires the capitals.
  return encodeFrame(channels.resize, Buffer.from(JSON.stringify({ Width: width, Height: height })));
}
