/** node:http2 with hand-written gRPC frames and no decoding: the cost of a call without a gRPC library. @module */
import { type ClientHttp2Session, connect } from "node:http2";
import { connect as connectSocket } from "node:net";
import {
  ListContainerStatsRequest,
  ListContainersRequest,
  ListPodSandboxRequest,
  VersionRequest,
} from "../../../generated/runtime/v1/api.js";
import type { ListMethod } from "../task.js";
import { filterOf, type OpenPeer } from "./peer.js";

/** The same as this package's: see `src/transport/channel.ts`. */
const windowSize = 1024 * 1024;

const requests: Record<ListMethod, (n: number) => Uint8Array> = {
  ListContainers: (n) =>
    ListContainersRequest.encode(ListContainersRequest.fromPartial({ filter: filterOf(n) })).finish(),
  ListPodSandbox: (n) =>
    ListPodSandboxRequest.encode(ListPodSandboxRequest.fromPartial({ filter: filterOf(n) })).finish(),
  ListContainerStats: (n) =>
    ListContainerStatsRequest.encode(ListContainerStatsRequest.fromPartial({ filter: filterOf(n) })).finish(),
};

export const open: OpenPeer = async ({ socket }) => {
  const session = connect("http://localhost", {
    createConnection: () => connectSocket(socket),
    settings: { initialWindowSize: windowSize },
  });
  await new Promise((resolve, reject) => session.once("connect", resolve).once("error", reject));
  session.setLocalWindowSize(windowSize);
  return {
    version: () => call(session, "Version", VersionRequest.encode(VersionRequest.fromPartial({})).finish()),
    list: (method, n) => call(session, method, requests[method](n)),
  };
};

/** Resolves with the bytes of the reply. */
function call(session: ClientHttp2Session, method: string, request: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ":method": "POST",
      ":path": `/runtime.v1.RuntimeService/${method}`,
      "content-type": "application/grpc",
      te: "trailers",
    });
    const chunks: Buffer[] = [];
    let status: unknown;
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("trailers", (trailers) => {
      status = trailers["grpc-status"];
    });
    stream.on("error", reject);
    stream.on("end", () => {
      if (status === "0") resolve(Buffer.concat(chunks).subarray(5));
      else reject(new Error(`${method} ended with gRPC status ${status}.`));
    });
    const head = Buffer.alloc(5);
    head.writeUInt32BE(request.length, 1);
    stream.end(Buffer.concat([head, request]));
  });
}
