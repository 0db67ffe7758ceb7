/** This package, in this process. @module */
import { createHash } from "node:crypto";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import type { ExecOptions, ExecSession } from "k8s-cri-client";
import { dataPort, type Stage } from "./stage.js";
import { type Transfer, timed } from "./transfer.js";

export type Wire = NonNullable<ExecOptions["transport"]>;

/** What somebody who pipes a file writes at a time. */
const chunk = Buffer.alloc(65_536);

export const zeroSum = (size: number) => {
  const hash = createHash("sha256");
  for (let left = size; left > 0; left -= chunk.length) hash.update(chunk.subarray(0, left));
  return hash.digest("hex");
};

export function stdout(stage: Stage, transport: Wire, seen?: (bytes: Buffer) => void): Promise<Transfer> {
  return timed(async () => {
    await using session = await stage.container.exec(stage.source, { transport });
    session.stderr?.resume();
    const bytes = count(session.stdout, seen);
    await succeeded(session);
    return await bytes;
  });
}

/** @param said gets what the command says about its input */
export function stdin(stage: Stage, transport: Wire, command: string[], said?: (bytes: Buffer) => void) {
  return timed(async () => {
    await using session = await stage.container.exec(command, { transport, stdin: true });
    session.stderr?.resume();
    const answered = count(session.stdout, said);
    await writeZeros(session.stdin as Writable, stage.size);
    // The command has counted. Where input has an end, it comes as a courtesy.
    if (session.canHalfCloseStdin) session.stdin?.end();
    await Promise.all([answered, succeeded(session)]);
    return stage.size;
  });
}

export function forward(stage: Stage, transport: Wire, seen?: (bytes: Buffer) => void): Promise<Transfer> {
  return timed(async () => {
    await using session = stage.pod.portForward(dataPort, { transport });
    const stream = await session.connect();
    return await count(stream, seen, stage.size);
  });
}

async function succeeded(session: ExecSession): Promise<void> {
  const { exitCode } = await session.exit;
  if (exitCode !== 0) throw new Error(`The command ended with ${exitCode}.`);
}

/** Reads to the end, or until so much has come: runtimes may take a second to tell the end of a forwarded connection. */
export async function count(stream: Readable | null, seen?: (bytes: Buffer) => void, size = Infinity): Promise<number> {
  if (!stream) return 0;
  let bytes = 0;
  stream.on("data", (data: Buffer) => {
    bytes += data.length;
    seen?.(data);
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
