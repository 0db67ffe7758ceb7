import type { Socket } from "node:net";

type WriteCallback = (error?: Error | null) => void;

/** Limit on polls of the socket, far above what emptying the kernel's buffers takes. It ends the wait in any case. */
const maxPolls = 1_000;

/**
 * Makes a socket deliver all received data before a failed write destroys it.
 *
 * Node.js destroys a socket as soon as a write fails, and drops data that arrived but was not read. A streaming server sends the
 * status of a command and closes the connection at once, so a client that is still writing to stdin would lose the exit code.
 * The kernel keeps the received data. This function therefore delays the callback of a failed write until that data is read, or
 * until the socket closes. If the socket is paused, the callback also waits until its reader resumes it.
 *
 * Node.js 26 drops the TLS records that a paused socket has received but not decrypted when it is reset. This function cannot
 * prevent that.
 */
export function drainOnWriteError(socket: Socket): void {
  const { _write, _writev } = socket;
  const delayError = (callback: WriteCallback): WriteCallback => {
    return (error) => {
      if (error) whenDrained(socket, maxPolls, () => callback(error));
      else callback(error);
    };
  };
  socket._write = (chunk, encoding, callback) => _write.call(socket, chunk, encoding, delayError(callback));
  if (_writev) socket._writev = (chunks, callback) => _writev.call(socket, chunks, delayError(callback));
  // A paused socket reads ahead until it detects the reset.
  socket.on("error", () => {
    const rest: Buffer | null = socket.read();
    if (rest) socket.emit("data", rest);
  });
}

/** Calls back when the socket is drained. A closed peer sends nothing more, so one poll that reads nothing proves this. */
function whenDrained(socket: Socket, pollsLeft: number, callback: () => void): void {
  if (socket.destroyed || pollsLeft === 0) callback();
  else if (socket.isPaused()) {
    const proceed = () => {
      socket.off("resume", proceed).off("close", proceed);
      whenDrained(socket, pollsLeft, callback);
    };
    socket.on("resume", proceed).on("close", proceed);
  } else {
    const before = socket.bytesRead;
    const check = () => {
      if (socket.isPaused() || socket.bytesRead !== before) whenDrained(socket, pollsLeft - 1, callback);
      else callback();
    };
    // Node.js polls its sockets between two immediates.
    setImmediate(() => setImmediate(check));
  }
}
