import { invalid, isSet } from "../input/check.js";
import { closest } from "../internal/closest.js";
import { Signal } from "../proto.js";

/** `SIGNAL_SIGTERM` → `TERM`, `SIGNAL_SIGRTMINPLUS3` → `RTMIN+3`, `SIGNAL_SIGRTMAXMINUS1` → `RTMAX-1`. */
type ShortName<Key extends string> = Key extends `SIGNAL_SIGRTMINPLUS${infer N}`
  ? `RTMIN+${N}`
  : Key extends `SIGNAL_SIGRTMAXMINUS${infer N}`
    ? `RTMAX-${N}`
    : Key extends `SIGNAL_SIG${infer Name}`
      ? Name
      : never;

/**
 * The name of a signal, with or without its `SIG`: `"SIGTERM"`, `"USR1"`, `"SIGRTMIN+3"`. Numbers are refused because they differ
 * between platforms.
 */
export type StopSignal = `${"SIG" | ""}${ShortName<keyof typeof Signal>}`;

const signals: ReadonlyMap<string, Signal> = new Map(
  Object.entries(Signal).flatMap(([key, value]): [string, Signal][] => {
    const match = /^SIGNAL_(SIG.+)$/.exec(key);
    if (match === null || typeof value !== "number") return [];
    return [[match[1]!.replace(/^SIGRTMINPLUS/, "SIGRTMIN+").replace(/^SIGRTMAXMINUS/, "SIGRTMAX-"), value]];
  }),
);

/** Converts the name of a signal, in any case. If it is not set, the image's signal is used, else the runtime's. */
export function toSignal(name: StopSignal | null | undefined, field: string): Signal {
  if (!isSet(name)) return Signal.SIGNAL_RUNTIME_DEFAULT;
  if (typeof name !== "string") return invalid(field, 'must be the name of a signal, such as "SIGTERM"', name);
  const upper = name.toUpperCase();
  const found = signals.get(upper) ?? signals.get(`SIG${upper}`);
  if (found !== undefined) return found;
  const meant = closest(upper.startsWith("SIG") ? upper : `SIG${upper}`, [...signals.keys()]);
  return invalid(
    field,
    `is not a signal${meant === undefined ? ' such as "SIGTERM"' : `; did you mean ${meant}?`}`,
    name,
  );
}
