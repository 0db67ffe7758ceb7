/** A unix socket that echoes its input: the fastest round trip to another process. @module */
import { once } from "node:events";
import { connect } from "node:net";
import type { OpenPeer } from "./peer.js";

/** About the size of a small call in each direction. */
const message = Buffer.alloc(100, "x");

export const open: OpenPeer = async ({ echo }) => {
  const socket = connect(echo);
  await once(socket, "connect");
  return {
    version: async () => {
      socket.write(message);
      for (let received = 0; received < message.length; ) received += (await once(socket, "data"))[0].length;
    },
  };
};
