/** The port of the pod that sends the data to each connection. */
export const dataPort = 9_000;

/** The result of one transfer. */
export interface Transfer {
  bytes: number;
  seconds: number;
  /** CPU time of the client alone. Undefined if it cannot be measured separately. */
  cpuSeconds?: number | undefined;
}

/** Measures work in this process. */
export async function timed(work: () => Promise<number>): Promise<Transfer> {
  const [started, before] = [performance.now(), process.cpuUsage()];
  const bytes = await work();
  const { user, system } = process.cpuUsage(before);
  return { bytes, seconds: (performance.now() - started) / 1_000, cpuSeconds: (user + system) / 1_000_000 };
}
