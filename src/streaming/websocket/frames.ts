/** The protocols of Kubernetes' channels over WebSocket. */
export const v4 = "v4.channel.k8s.io";
/** v4 and a way to say that a channel has ended. */
export const v5 = "v5.channel.k8s.io";

/** The first byte of every message of a remote command. */
export const channels = { stdin: 0, stdout: 1, stderr: 2, status: 3, resize: 4, end: 255 } as const;

/** Longest payload put into one message: what Go's servers read at once, and far below what any of them accepts. */
export const maxChunkBytes = 32 * 1024;

/** Largest message taken from a server. Servers send 32 KiB; the rest is room for those that do not. */
export const maxMessageBytes = 4 * 1024 * 1024;

/** A message: the channel, then the bytes. Servers read it frame by frame, so that it must go out in one. */
export function encodeFrame(channel: number, payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(payload.length + 1);
  frame[0] = channel;
  frame.set(payload, 1);
  return frame;
}

/** Takes a message apart; undefined for one that carries nothing, such as the "ready" that servers begin with. */
export function decodeFrame(message: Buffer): { channel: number; payload: Buffer } | undefined {
  const [channel] = message;
  return channel === undefined || message.length === 1 ? undefined : { channel, payload: message.subarray(1) };
}

/** The message that ends a channel on {@link v5}. */
export function encodeEnd(channel: number): Buffer {
  return Buffer.of(channels.end, channel);
}

/** The message that tells a terminal's size; undefined for sizes no terminal has, over which one server breaks the session. */
export function encodeResize(size: { columns: number; rows: number }): Buffer | undefined {
  const [width, height] = [size.columns, size.rows].map(Math.trunc) as [number, number];
  const fits = (cells: number) => cells >= 1 && cells <= 0xffff;
  if (!fits(width) || !fits(height)) return undefined;
  // The capitals matter: Go does not care, conmon-rs does.
  return encodeFrame(channels.resize, Buffer.from(JSON.stringify({ Width: width, Height: height })));
}
