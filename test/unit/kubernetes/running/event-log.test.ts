import { expect, test } from "vitest";
import { EventLog } from "../../../../src/kubernetes/running/event-log.js";
import { podEvent } from "../../../../src/kubernetes/running/pod-event.js";

const event = (message: string) => podEvent("Started", message, "main", 0);

test("a stream begins with the events so far, continues, and ends with the log", async () => {
  const log = new EventLog();
  log.add(event("1"));
  const messages: string[] = [];
  for await (const { message } of log.stream(undefined)) {
    messages.push(message);
    if (message === "1") setImmediate(() => log.add(event("2")));
    if (message === "2") setImmediate(() => log.close());
  }
  expect(messages).toEqual(["1", "2"]);
});

test("the log keeps the latest 1,000 events, and a slow reader misses only dropped ones", async () => {
  const log = new EventLog();
  const stream = log.stream(undefined)[Symbol.asyncIterator]();
  log.add(event("0"));
  expect((await stream.next()).value?.message).toBe("0");
  for (let number = 1; number <= 2_500; number++) log.add(event(String(number)));
  log.close();
  const rest: string[] = [];
  for (let next = await stream.next(); !next.done; next = await stream.next()) rest.push(next.value.message);
  expect([rest[0], rest.at(-1), rest.length]).toEqual(["1501", "2500", 1_000]);
});

test("a stream whose signal aborts rejects with the reason", async () => {
  const controller = new AbortController();
  const stream = new EventLog().stream(controller.signal)[Symbol.asyncIterator]();
  const next = stream.next();
  const reason = new Error("enough");
  setImmediate(() => controller.abort(reason));
  await expect(next).rejects.toBe(reason);
});

test("failures are warnings, and pulls that wait are not", () => {
  expect(podEvent("Failed", "", undefined, 0).type).toBe("Warning");
  expect(podEvent("BackOff", "Back-off restarting failed container main", "main", 0).type).toBe("Warning");
  expect(podEvent("BackOff", 'Back-off pulling image "a"', "main", 0).type).toBe("Normal");
  expect(podEvent("Pulled", "", "main", 0).type).toBe("Normal");
});
