import { expect, test } from "vitest";
import { Signal } from "../../../src/proto.js";
import { type StopSignal, toSignal } from "../../../src/specs/signal.js";
import { refusal } from "./refusal.js";

test.each<[StopSignal | undefined, Signal]>([
  [undefined, Signal.SIGNAL_RUNTIME_DEFAULT],
  ["SIGTERM", Signal.SIGNAL_SIGTERM],
  ["TERM", Signal.SIGNAL_SIGTERM],
  ["SIGUSR1", Signal.SIGNAL_SIGUSR1],
  ["SIGRTMIN", Signal.SIGNAL_SIGRTMIN],
  ["SIGRTMIN+3", Signal.SIGNAL_SIGRTMINPLUS3],
  ["RTMIN+15", Signal.SIGNAL_SIGRTMINPLUS15],
  ["RTMAX-1", Signal.SIGNAL_SIGRTMAXMINUS1],
  ["SIGRTMAX", Signal.SIGNAL_SIGRTMAX],
  ["sigkill" as never, Signal.SIGNAL_SIGKILL],
])("%s", (name, expected) => {
  expect(toSignal(name, "f")).toBe(expected);
});

test("every signal of the protocol has a name", () => {
  for (const [key, value] of Object.entries(Signal)) {
    if (typeof value !== "number" || value <= 0) continue;
    const name = key.replace("SIGNAL_", "").replace("PLUS", "+").replace("MINUS", "-");
    expect(toSignal(name as StopSignal, "f"), name).toBe(value);
  }
});

test.each<[unknown, RegExp]>([
  ["SIGTREM", /f: is not a signal; did you mean SIGTERM\?, got "SIGTREM"/],
  ["nonsense", /f: is not a signal such as "SIGTERM"/],
  ["SIGRTMINPLUS3", /is not a signal/],
  ["SIGNAL_SIGTERM", /is not a signal/],
  ["RUNTIME_DEFAULT", /is not a signal/],
  ["", /is not a signal/],
  [15, /must be the name of a signal, such as "SIGTERM", got 15/],
])("refuses %s", (name, expected) => {
  expect(refusal(() => toSignal(name as never, "f"))).toMatch(expected);
});
