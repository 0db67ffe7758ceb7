/**
 * Sessions on plain sockets that count bytes and do not parse them. They show the speed that the runtime, the kernel and node:net
 * allow.
 *
 * @module
 */
import { on, once } from "node:events";
import { connect, type Socket } from "node:net";
import { FrameDecoder } from "../../src/streaming/spdy/frame-decoder.js";
import { encodeDataHead, encodeFrame } from "../../src/streaming/spdy/frames.js";
import { HeaderCompressor } from "../../src/streaming/spdy/header-compression.js";
import { encodeHeaders } from "../../src/streaming/spdy/headers.js";
import { count } from "./ours.js";
import type { Stage } from "./stage.js";
import { dataPort, type Transfer, timed } from "./transfer.js";

/** Connects to the pod directly, not through the runtime. */
export function tcp(stage: Stage): Promise<Transfer> {
  return timed(() => count(connect(dataPort, stage.address), undefined, stage.size));
}

export function stdout(stage: Stage): Promise<Transfer> {
  return timed(async () => {
    const socket = await upgrade(await stage.execUrl(stage.source, false), "v4.channel.k8s.io");
    await open(socket, [{ streamType: "error" }, { streamType: "stdout" }, { streamType: "stderr" }]);
    return await atLeast(socket, stage.size);
  });
}

export function stdin(stage: Stage, command: string[]): Promise<Transfer> {
  return timed(async () => {
    const socket = await upgrade(await stage.execUrl(command, true), "v4.channel.k8s.io");
    await open(
      socket,
      ["error", "stdin", "stdout", "stderr"].map((streamType) => ({ streamType })),
    );
    const ended = atLeast(socket, 0);
    ended.catch(() => {});
    const head = encodeDataHead(3, 32_768, false);
    const frames = Buffer.concat(Array.from({ length: 8 }, () => [head, Buffer.alloc(32_768)]).flat());
    for (let left = stage.size; left > 0; left -= 8 * 32_768) {
      if (!socket.write(frames)) await once(socket, "drain");
    }
    // Sends no end of input: the command stops at a fixed size, and the server may have closed the connection.
    await ended;
    return stage.size;
  });
}

export function forward(stage: Stage): Promise<Transfer> {
  return timed(async () => {
    const socket = await upgrade(await stage.forwardUrl(), "portforward.k8s.io");
    const pair = { port: String(dataPort), requestID: "0" };
    await open(socket, [
      { streamType: "error", ...pair },
      { streamType: "data", ...pair },
    ]);
    return await atLeast(socket, stage.size);
  });
}

async function upgrade(url: URL, protocol: string): Promise<Socket> {
  const socket = connect(Number(url.port), url.hostname);
  socket.setNoDelay(true);
  const heads = ["Connection: Upgrade", "Upgrade: SPDY/3.1", `X-Stream-Protocol-Version: ${protocol}`];
  socket.write([`POST ${url.pathname} HTTP/1.1`, `Host: ${url.host}`, ...heads, "", ""].join("\r\n"));
  // The server sends nothing after the response until streams are open.
  const [answer] = (await once(socket, "data")) as [Buffer];
  socket.pause();
  if (!answer.toString("latin1").startsWith("HTTP/1.1 101 ")) throw new Error("the server did not switch to SPDY/3.1");
  return socket;
}

/** Opens streams 1, 3, 5, … and waits until the server has accepted them: it drops earlier data. */
async function open(socket: Socket, all: Record<string, string>[]): Promise<void> {
  const compressor = new HeaderCompressor();
  const fixed = { associatedStreamId: 0, priority: 0, slot: 0, fin: false, unidirectional: false } as const;
  all.forEach((headers, index) => {
    const headerBlock = compressor.compress(encodeHeaders(headers));
    socket.write(encodeFrame({ type: "synStream", streamId: 2 * index + 1, ...fixed, headerBlock }));
  });
  let missing = all.length;
  const decoder = new FrameDecoder({
    onFrame: ({ type }) => void (type === "synReply" && missing--),
    onData: () => {},
  });
  for await (const [bytes] of on(socket.resume(), "data", { close: ["close"] }) as AsyncIterable<[Buffer]>) {
    decoder.write(bytes);
    if (missing === 0) break;
  }
}

/** Reads at least `size` bytes, then closes the connection. With size 0, reads until the server closes it. */
async function atLeast(socket: Socket, size: number): Promise<number> {
  const enough = () => {
    if (size > 0 && socket.bytesRead >= size) socket.destroy();
  };
  socket.on("data", enough);
  enough();
  await once(socket, "close");
  if (socket.bytesRead < size) throw new Error(`received only ${socket.bytesRead} of ${size} bytes`);
  return size;
}
