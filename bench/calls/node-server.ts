/**
 * A Node.js version of `go-server/main.go`, for machines where that cannot be built. Being slower, it adds to the measured times.
 *
 *     node node-server.js FOLDER
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { type handleUnaryCall, Server, ServerCredentials, status } from "@grpc/grpc-js";
import {
  ListContainerStatsRequest,
  ListContainersRequest,
  ListPodSandboxRequest,
} from "../../generated/runtime/v1/api.js";

const folder = process.argv[2] ?? "";
const replies = new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]));

const files: Record<string, (request: Buffer) => string> = {
  Version: () => "Version",
  ListContainers: (request) => `ListContainers.${ListContainersRequest.decode(request).filter?.labelSelector.n}`,
  ListPodSandbox: (request) => `ListPodSandbox.${ListPodSandboxRequest.decode(request).filter?.labelSelector.n}`,
  ListContainerStats: (request) =>
    `ListContainerStats.${ListContainerStatsRequest.decode(request).filter?.labelSelector.n}`,
};

const same = (bytes: Buffer) => bytes;
const server = new Server({ "grpc.max_send_message_length": -1, "grpc.max_receive_message_length": -1 });
const methods = Object.entries(files).map(([name, fileOf]) => {
  const definition = {
    path: `/runtime.v1.RuntimeService/${name}`,
    requestStream: false,
    responseStream: false,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
  const handler: handleUnaryCall<Buffer, Buffer> = ({ request }, callback) => {
    const reply = replies.get(fileOf(request));
    callback(reply ? null : { code: status.NOT_FOUND, details: `there is no reply ${fileOf(request)}` }, reply);
  };
  return { name, definition, handler };
});
server.addService(
  Object.fromEntries(methods.map(({ name, definition }) => [name, definition])),
  Object.fromEntries(methods.map(({ name, handler }) => [name, handler])),
);

createServer((socket) => socket.pipe(socket)).listen(join(folder, "echo.sock"), () => {
  server.bindAsync(`unix:${join(folder, "cri.sock")}`, ServerCredentials.createInsecure(), (error) => {
    if (error) throw error;
    console.log("ready");
  });
});
process.stdin.on("end", () => process.exit()).resume();
