/**
 * Makes the probes of the agents and nothing else, with grpc-js alone: what the calls cost any agent in Node.js.
 *
 *     node probes.js ENDPOINT
 *
 * The line `work` on its standard input starts a probe every 10 seconds for each pod that then exists. It answers every line with
 * its counts as JSON, and exits when the input ends.
 *
 * @module
 */
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, credentials } from "@grpc/grpc-js";
import { ExecSyncRequest, ExecSyncResponse, ListContainersRequest, ListContainersResponse } from "k8s-cri-client/proto";

const periodMs = 10_000;
const [endpoint = ""] = process.argv.slice(2);
const client = new Client(endpoint, credentials.createInsecure());
const counts = { probes: 0, failures: 0 };

interface Codec<T> {
  fromPartial(value: object): T;
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

function call<Request, Reply>(name: string, request: Codec<Request>, reply: Codec<Reply>, value: object) {
  const serialize = (message: Request) => Buffer.from(request.encode(message).finish());
  return new Promise<Reply>((resolve, reject) => {
    client.makeUnaryRequest(
      `/runtime.v1.RuntimeService/${name}`,
      serialize,
      (bytes) => reply.decode(bytes),
      request.fromPartial(value),
      (error, message) => (error ? reject(error) : resolve(message as Reply)),
    );
  });
}

async function probe(containerId: string): Promise<void> {
  await sleep(Math.random() * periodMs);
  for (;;) {
    try {
      const { exitCode } = await call("ExecSync", ExecSyncRequest, ExecSyncResponse, { containerId, cmd: ["true"] });
      if (exitCode === 0) counts.probes++;
    } catch {
      counts.failures++;
    }
    await sleep(periodMs);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  if (line === "work") {
    const { containers } = await call("ListContainers", ListContainersRequest, ListContainersResponse, {});
    for (const { id, metadata } of containers) if (metadata?.name === "main") void probe(id);
  }
  console.log(JSON.stringify(counts));
}
process.exit();
