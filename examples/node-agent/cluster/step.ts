/** @module */

const patienceMs = 15_000;

/** Is called with what a long step does now. */
export type Report = (activity: string) => void;

/** Runs one step, and prints its title and how long it took. While a long step runs, it prints what the step does now. */
export async function step<T>(title: string, work: (report: Report) => Promise<T>): Promise<T> {
  const started = performance.now();
  const seconds = () => ((performance.now() - started) / 1_000).toFixed(1);
  console.log(`${title} …`);
  let activity = "still at work";
  const timer = setInterval(() => console.log(`  ${activity} (${Math.round(Number(seconds()))} s)`), patienceMs);
  try {
    const result = await work((now) => {
      activity = now;
    });
    console.log(`  done in ${seconds()} s`);
    return result;
  } finally {
    clearInterval(timer);
  }
}
