/** Rejects if an example takes far too long, so that the failure names it. */
export async function inTime(running: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("the example has not ended after a minute")), 60_000);
  });
  await Promise.race([running, late]).finally(() => clearTimeout(timer));
}

const observers = new Set<(line: string) => void>();
/** The lines of the function that is running in {@link printed}. */
let captured: string[] | undefined;
let isWatching = false;

/** Passes what programs print to {@link observers} and {@link captured}. */
function watchConsole(): void {
  if (isWatching) return;
  isWatching = true;
  for (const name of ["log", "error"] as const) {
    const print = console[name];
    console[name] = (...values) => {
      const line = values.join(" ");
      if (captured === undefined) print(...values);
      else captured.push(line);
      for (const observe of observers) observe(line);
    };
  }
}

/** Resolves when the output from now on, all lines joined, matches. By default, at the first line. */
export function untilPrinted(pattern = /^/): Promise<void> {
  watchConsole();
  let output = "";
  return new Promise((resolve) => {
    const observe = (line: string) => {
      output += `${line}\n`;
      if (!pattern.test(output)) return;
      observers.delete(observe);
      resolve();
    };
    observers.add(observe);
  });
}

/** Returns what a function prints, on both outputs, instead of printing it. */
export async function printed(action: () => Promise<unknown>): Promise<string[]> {
  watchConsole();
  captured = [];
  try {
    await action();
    return captured;
  } finally {
    captured = undefined;
  }
}
