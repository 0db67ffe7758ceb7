/** Transfers with this package. @module */
import { createHash } from "node:crypto";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import type { Container, ExecOptions, ExecSession, PodSandbox } from "k8s-cri-client";
import { dataPort, type Transfer, timed } from "./transfer.js";

export type Wire = NonNullable<ExecOptions["transport"]>;

/** A pod whose container sends and receives `size` bytes. */
export interface Place {
  pod: Pick<PodSandbox, "portForward">;
  container: Pick<Container, "exec">;
  size: number;
}

/** The chunk size of a program that pipes a file. */
const chunk = Buffer.alloc(65_536);

export const zeroSum = (size: number) => {
  const hash = createHash("sha256");
  for (let left = size; left > 0; left -= chunk.length) hash.update(chunk.subarray(0, left));
  return hash.digest("hex");
};

export function stdout(
  { container }: Place,
  transport: Wire,
  command: string[],
  onBytes?: (bytes: Buffer) => void,
): Promise<Transfer> {
  return timed(async () => {
    await using session = await container.exec(command, { transport });
    session.stderr?.resume();
    const bytes = count(session.stdout, onBytes);
    await succeeded(session);
    return await bytes;
  });
}

/** @param onOutput receives the output of the command */
export function stdin(place: Place, transport: Wire, command: string[], onOutput?: (bytes: Buffer) => void) {
  return timed(async () => {
    await using session = await place.container.exec(command, { transport, stdin: true });
    session.stderr?.resume();
    const output = count(session.stdout, onOutput);
    await writeZeros(session.stdin as Writable, place.size);
    // The command stops at a fixed size. Input is ended only where the transport can do that.
    if (session.canHalfCloseStdin) session.stdin?.end();
    await Promise.all([output, succeeded(session)]);
    return place.size;
  });
}

export function forward({ pod, size }: Place, transport: Wire, onBytes?: (bytes: Buffer) => void): Promise<Transfer> {
  return timed(async () => {
    await using session = pod.portForward(dataPort, { transport });
    const stream = await session.connect();
    return await count(stream, onBytes, size);
  });
}

async function succeeded(session: ExecSession): Promise<void> {
  const { exitCode } = await session.exit;
  if (exitCode !== 0) throw new Error(`the command exited with ${exitCode}`);
}

/** Reads to the end, or until `size` bytes: runtimes may report the end of a forwarded connection a second late. */
export async function count(
  stream: Readable | null,
  onBytes?: (bytes: Buffer) => void,
  size = Infinity,
): Promise<number> {
  if (!stream) return 0;
  let bytes = 0;
  stream.on("data", (data: Buffer) => {
    bytes += data.length;
    onBytes?.(data);
    if (bytes >= size) stream.destroy();
  });
  await once(stream, size === Infinity ? "end" : "close");
  return bytes;
}

async function writeZeros(stream: Writable, size: number): Promise<void> {
  for (let left = size; left > 0; left -= chunk.length) {
    if (!stream.write(chunk.subarray(0, left))) await once(stream, "drain");
  }
}
