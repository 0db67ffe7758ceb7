import { availableParallelism, cpus, release, totalmem, type } from "node:os";

/** Describes this machine in one line. */
export function machine(): string {
  const model = cpus()[0]?.model.trim() ?? "unknown CPU";
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${model}, ${availableParallelism()} cores, ${memory} GiB, ${type()} ${release()}, Node.js ${process.version}`;
}
