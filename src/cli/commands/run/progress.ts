import type { PodExit, RunningPod, RunningPodEvent } from "../../../kubernetes/index.js";
import type { Invocation } from "../../command.js";
import { stylesOf } from "../../output/styles.js";
import { printable } from "../../output/table.js";

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

/** Colours of containers, in the order in which they appear. */
const colors = ["cyan", "magenta", "blue", "green", "yellow", "red"] as const;

/** Chooses the prefixes of lines: the container, and with several pods the pod. One container needs none. */
export class Prefixes {
  readonly #colors = new Map<string, (typeof colors)[number]>();
  readonly #styles: Invocation["styles"];
  readonly #pods: number;
  readonly #isNeeded: boolean;

  constructor({ styles }: Invocation, pods: readonly RunningPod[]) {
    this.#styles = styles;
    this.#pods = pods.length;
    this.#isNeeded = pods.flatMap(({ containerNames }) => containerNames).length > 1;
  }

  of(pod: RunningPod, container: string): string {
    if (!this.#isNeeded) return "";
    const name = this.#pods > 1 ? `${pod.name}/${container}` : container;
    const color = this.#colors.get(name) ?? colors[this.#colors.size % colors.length] ?? "cyan";
    this.#colors.set(name, color);
    return `${this.#styles(color, printable(name))} `;
  }
}

/** Prints the logs of all containers of a pod until it has ended. */
export async function followPod(invocation: Invocation, pod: RunningPod, prefixes: Prefixes): Promise<PodExit> {
  const { signal } = invocation.terminal;
  for await (const { container, text, partial } of pod.logs({ follow: true, signal })) {
    const prefix = prefixes.of(pod, container);
    await invocation.print(`${prefix}${text}${partial && prefix === "" ? "" : "\n"}`);
  }
  return pod.wait({ signal });
}

/** The exit code of a pod: 0 if it succeeded, otherwise that of a container that failed. */
export function exitCodeOf({ phase, exitCodes }: PodExit): number {
  if (phase === "Succeeded") return 0;
  return Object.values(exitCodes).find((code) => code !== 0) ?? 1;
}
