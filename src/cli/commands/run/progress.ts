import type { PodExit, RunningPod, RunningPodEvent } from "../../../kubernetes/index.js";
import type { Invocation } from "../../command.js";
import { stylesOf } from "../../output/styles.js";
import { printable } from "../../output/table.js";
import type { LogPrinter } from "../logs/log-printer.js";

/**
 * Notes what happens to a pod until it is disposed of or released. Without a terminal, only warnings.
 *
 * @returns a promise that resolves when the last event was noted
 */
export async function noteEvents({ terminal, note }: Invocation, pod: RunningPod, quiet: boolean): Promise<void> {
  const styles = stylesOf(terminal.stderr, terminal.env);
  const showsAll = Boolean(terminal.stderr.isTTY) && !quiet;
  for await (const event of pod.events()) {
    if (event.type === "Normal" && !showsAll) continue;
    note(styles(event.type === "Warning" ? "yellow" : "dim", printable(lineOf(pod, event))));
  }
}

function lineOf({ name }: RunningPod, { reason, container, message }: RunningPodEvent): string {
  return `${container === undefined ? name : `${name}/${container}`}: ${reason}: ${message}`;
}

/** Prints the logs of all containers of a pod until it has ended. */
export async function followPod({ terminal }: Invocation, pod: RunningPod, printer: LogPrinter): Promise<PodExit> {
  const { signal } = terminal;
  const entries = pod.logs({ follow: true, encoding: "buffer", signal });
  for await (const batch of entries.batches()) await printer.print(batch);
  return pod.wait({ signal });
}

/** The exit code of a pod: 0 if it succeeded, otherwise that of a container that failed. */
export function exitCodeOf({ phase, exitCodes }: PodExit): number {
  if (phase === "Succeeded") return 0;
  return Object.values(exitCodes).find((code) => code !== 0) ?? 1;
}
