/** A unix socket that sends back what it is sent: the shortest way to another process and back. @module */
import { once } from "node:events";
import { connect } from "node:net";
import type { OpenPeer } from "./peer.js";

/** About what a small call has in both directions. */
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
