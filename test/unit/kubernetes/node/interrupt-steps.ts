import childProcess from "node:child_process";
import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

/** The operations on the disk that count as steps. */
const operations = ["chmod", "chown", "mkdir", "open", "rename", "rmdir", "symlink", "unlink"] as const;

/**
 * Calls a function before the step with this number, of all operations on the disk and all programs that this process starts.
 * Returns a function that ends this.
 */
export function beforeStep(number: number, interrupt: () => void): () => void {
  const original = { ...fs };
  const { spawn } = childProcess;
  let steps = 0;
  const count = () => {
    if (++steps === number) interrupt();
  };
  for (const name of operations) {
    const operation = original[name] as (...args: unknown[]) => Promise<unknown>;
    const counted = async (...args: unknown[]) => {
      count();
      return operation(...args);
    };
    Object.assign(fs, { [name]: counted });
  }
  childProcess.spawn = ((...args: Parameters<typeof spawn>) => {
    count();
    return spawn(...args);
  }) as typeof spawn;
  syncBuiltinESMExports();
  return () => {
    Object.assign(fs, original);
    childProcess.spawn = spawn;
    syncBuiltinESMExports();
  };
}
