import type { Socket } from "node:net";

type Callback = (error?: Error | null) => void;

/**
 * Lets a socket be read to its end although writing to it failed.
 *
 * A server that is done sends its last words and closes. If it has not read all that we sent, the kernel turns that into a reset,
 * and as soon as Node.js notices while writing it destroys the socket: with the exit status still unread. So failed writes are held
 * back until the reading side has ended by itself.
 */
export function readToTheEnd(socket: Socket): void {
  const hold =
    (callback: Callback): Callback =>
    (error) => {
      if (!error || socket.destroyed || socket.readableEnded) return callback(error);
      // The socket would wait for its writing side before it closes.
      socket.once("end", () => socket.destroy());
      socket.once("close", () => callback(error));
    };
  const { _write, _writev } = socket;
  socket._write = (chunk, encoding, callback) => _write.call(socket, chunk, encoding, hold(callback));
  if (_writev) socket._writev = (chunks, callback) => _writev.call(socket, chunks, hold(callback));
}
