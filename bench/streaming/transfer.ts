/** What one transfer took. */
export interface Transfer {
  bytes: number;
  seconds: number;
  /** Of the client alone. Undefined where it cannot be told from others. */
  cpuSeconds?: number | undefined;
}

/** Times work in this process. */
export async function timed(work: () => Promise<number>): Promise<Transfer> {
  const [started, before] = [performance.now(), process.cpuUsage()];
  const bytes = await work();
  const { user, system } = process.cpuUsage(before);
  return { bytes, seconds: (performance.now() - started) / 1_000, cpuSeconds: (user + system) / 1_000_000 };
}
