import type { Socket } from "node:net";

type WriteCallback = (error?: Error | null) => void;

/** Far more looks than it takes to empty the kernel's buffers. With a bound the wait has an end, whatever the socket does. */
const maxLooks = 1_000;

/**
 * Makes a socket whose peer has hung up deliver what the peer sent before.
 *
 * Node.js gives a socket up as soon as a write to it fails, and drops what has arrived but was not read. A streaming server sends
 * the status of a command and hangs up at once; whoever is still writing to the command's stdin at that moment would lose the
 * exit code. The kernel keeps what has arrived, so a failed write stays unanswered here until that is read. A socket that is
 * paused gets the time its reader takes; it never outlasts the socket.
 *
 * Node.js 26 drops the TLS records that a paused socket has received but not decrypted when it is reset. Nothing can be done about
 * that here.
 */
export function readToTheEnd(socket: Socket): void {
  const { _write, _writev } = socket;
  const putOff = (callback: WriteCallback): WriteCallback => {
    return (error) => {
      if (error) whenQuiet(socket, maxLooks, () => callback(error));
      else callback(error);
    };
  };
  socket._write = (chunk, encoding, callback) => _write.call(socket, chunk, encoding, putOff(callback));
  if (_writev) socket._writev = (chunks, callback) => _writev.call(socket, chunks, putOff(callback));
  // A paused socket reads ahead, until it finds out that it was reset.
  socket.on("error", () => {
    const rest: Buffer | null = socket.read();
    if (rest) socket.emit("data", rest);
  });
}

/** Nothing new arrives from a peer that is gone: when a look at the socket brings nothing, there is nothing left. */
function whenQuiet(socket: Socket, looksLeft: number, callback: () => void): void {
  if (socket.destroyed || looksLeft === 0) callback();
  else if (socket.isPaused()) {
    const proceed = () => {
      socket.off("resume", proceed).off("close", proceed);
      whenQuiet(socket, looksLeft, callback);
    };
    socket.on("resume", proceed).on("close", proceed);
  } else {
    const before = socket.bytesRead;
    const look = () => {
      if (socket.isPaused() || socket.bytesRead !== before) whenQuiet(socket, looksLeft - 1, callback);
      else callback();
    };
    // Node.js looks at its sockets between two of these.
    setImmediate(() => setImmediate(look));
  }
}
