import type { Socket } from "node:net";

type WriteCallback = (error?: Error | null) => void;

/**
 * Makes a socket whose peer has hung up deliver what the peer sent before.
 *
 * Node.js gives a socket up as soon as a write to it fails, and drops what has arrived but was not read. A streaming server sends
 * the status of a command and hangs up at once; whoever is still writing to the command's stdin at that moment would lose the
 * exit code. The kernel keeps what has arrived, so a failed write stays unanswered here until that is read.
 */
export function readToTheEnd(socket: Socket): void {
  const { _write, _writev } = socket;
  const putOff = (callback: WriteCallback): WriteCallback => {
    return (error) => {
      if (error && !socket.destroyed) waitForQuiet(socket, () => callback(error));
      else callback(error);
    };
  };
  socket._write = (chunk, encoding, callback) => _write.call(socket, chunk, encoding, putOff(callback));
  if (_writev) socket._writev = (chunks, callback) => _writev.call(socket, chunks, putOff(callback));
}

/** Nothing new arrives from a peer that is gone: when a look at the socket brings nothing, there is nothing left. */
function waitForQuiet(socket: Socket, callback: () => void): void {
  const before = socket.bytesRead;
  const look = () => {
    if (!socket.destroyed && (socket.isPaused() || socket.bytesRead !== before)) waitForQuiet(socket, callback);
    else callback();
  };
  if (socket.isPaused() && !socket.destroyed) {
    const proceed = () => {
      socket.off("resume", proceed).off("close", proceed);
      waitForQuiet(socket, callback);
    };
    socket.on("resume", proceed).on("close", proceed);
  } else {
    // Node.js looks at its sockets between two of these.
    setImmediate(() => setImmediate(look));
  }
}
