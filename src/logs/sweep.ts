/** Something that waits for an event, which might be missed. */
export interface Swept {
  /** Checks for a change without an event. */
  check(): void;
}

/** How often each waiting file is checked, in seconds. */
const roundSeconds = 10;

/** The waiting files, those that were checked or added last at the end. */
const waiting = new Set<Swept>();

let timer: NodeJS.Timeout | undefined;

/**
 * Checks a file every 10 seconds, until the returned function is called. The kernel drops events when a program reads them too
 * slowly. All files share one timer, which checks a tenth of them each second.
 */
export function sweep(file: Swept): () => void {
  waiting.add(file);
  timer ??= setInterval(checkSome, 1_000);
  return () => {
    waiting.delete(file);
    if (waiting.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

function checkSome(): void {
  const some = [...waiting].slice(0, Math.ceil(waiting.size / roundSeconds));
  for (const file of some) {
    // The file may have stopped waiting meanwhile.
    if (!waiting.delete(file)) continue;
    waiting.add(file);
    file.check();
  }
}
