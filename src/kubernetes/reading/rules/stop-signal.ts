import { closest } from "../../../internal/closest.js";
import { Signal } from "../../../proto.js";
import type { Check } from "../schema/scalars.js";

const signals = Object.keys(Signal)
  .filter((key) => key.startsWith("SIGNAL_SIG"))
  .map((key) => key.slice("SIGNAL_".length).replace("RTMINPLUS", "RTMIN+").replace("RTMAXMINUS", "RTMAX-"));

/** Names of signals with their `SIG`, in upper case. */
export const stopSignalName: Check = (value) => {
  if (signals.includes(value)) return undefined;
  const upper = value.toUpperCase();
  const meant = closest(upper.startsWith("SIG") ? upper : `SIG${upper}`, signals) ?? "SIGTERM";
  return `must be the name of a signal such as ${JSON.stringify(meant)}`;
};
