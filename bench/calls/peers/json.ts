/** The same data as JSON, which V8 itself parses and writes. A baseline only: no runtime accepts it. @module */
import { readFile } from "node:fs/promises";
import type { OpenPeer } from "./peer.js";

export const open: OpenPeer = async ({ replyJson, requestJson }) => {
  const [bytes, request] = await Promise.all([readFile(replyJson), readFile(requestJson, "utf8")]);
  const message = JSON.parse(request);
  return {
    decode: () => JSON.parse(bytes.toString()).containers,
    encode: () => Buffer.from(JSON.stringify(message)),
  };
};
