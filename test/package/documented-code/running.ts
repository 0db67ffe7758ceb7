/** Rejects if an example takes far too long, so that the failure names it. */
export async function inTime(running: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("the example has not ended after a minute")), 60_000);
  });
  await Promise.race([running, late]).finally(() => clearTimeout(timer));
}

/** Resolves at the next `console.log`. */
export function nextOutput(): Promise<void> {
  const { log } = console;
  return new Promise((resolve) => {
    console.log = (...args) => {
      console.log = log;
      log(...args);
      resolve();
    };
  });
}

/** Returns what a function prints, on both outputs. */
export async function printed(action: () => Promise<void>): Promise<string[]> {
  const { log, error } = console;
  const lines: string[] = [];
  console.log = console.error = (...args) => void lines.push(args.join(" "));
  try {
    await action();
  } finally {
    Object.assign(console, { log, error });
  }
  return lines;
}
