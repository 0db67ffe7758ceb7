import { inspect } from "node:util";
import { expect, test } from "vitest";
import { type CriError, ImagePullsError, type PullProgress } from "../../src/index.js";
import { rejection, startFake } from "./support.js";

const registry = { "bad/*": "missing", "private/*": { username: "u", password: "p4ss" } } as const;
const pullsOf = (runtime: { callsOf(rpc: "PullImage"): { request: unknown }[] }) =>
  runtime.callsOf("PullImage").map(({ request }) => (request as { image: { image: string } }).image.image);

test("pulls missing images once each, and returns one result for each entry in the order of the list", async () => {
  const { runtime, cri } = await startFake();
  const results = await cri.images.pullAll(["a:1", "busybox:1", { image: "b:1" }, { reference: "a:1" }, "b:1"]);
  expect(results.map(({ reference, state }) => `${reference} ${state}`)).toEqual([
    "a:1 pulled",
    "busybox:1 present",
    "b:1 pulled",
    "a:1 pulled",
    "b:1 pulled",
  ]);
  expect(results[3]!.image).toBe(results[0]!.image);
  expect(pullsOf(runtime).sort()).toEqual(["a:1", "b:1"]);
  expect(await cri.images.pullAll([])).toEqual([]);
});

test("entries have their own credentials and pull policy", async () => {
  const { runtime, cri } = await startFake({ registry });
  const auth = { username: "u", password: "p4ss" };
  const results = await cri.images.pullAll(
    [{ image: "private/a:1", auth }, "busybox:1", { image: "busybox:1", pullPolicy: "missing" }],
    { pullPolicy: "always" },
  );
  expect(results.map(({ state }) => state)).toEqual(["pulled", "pulled", "present"]);
  expect(pullsOf(runtime).sort()).toEqual(["busybox:1", "private/a:1"]);
  const sent = runtime.callsOf("PullImage").map(({ request }) => request as { auth?: { password: string } });
  expect(sent.map(({ auth }) => auth?.password).sort()).toEqual(["p4ss", undefined]);
});

test("an entry with other credentials for the same image is pulled as well", async () => {
  const { runtime, cri } = await startFake({ registry });
  const wrong = { username: "u", password: "wr0ng" };
  const right = { username: "u", password: "p4ss" };
  const images = [wrong, right, { ...right }].map((auth) => ({ image: "private/a:1", auth }));
  const error = (await rejection(
    cri.images.pullAll(images, { pullPolicy: "always", concurrency: 1 }),
  )) as ImagePullsError;
  expect(error.results.map(({ state }) => state)).toEqual(["failed", "pulled", "pulled"]);
  expect(pullsOf(runtime)).toHaveLength(2);
  expect(inspect(error, { depth: 20 }) + error.stack).not.toMatch(/wr0ng|p4ss/);
});

test("continues after a failure, and rejects with the results of all images", async () => {
  const { cri } = await startFake({ registry });
  const error = (await rejection(cri.images.pullAll(["bad/a:1", "a:1", "private/b:1"]))) as ImagePullsError;
  expect(error).toBeInstanceOf(ImagePullsError);
  expect(error).toMatchObject({ name: "ImagePullsError", code: "NOT_FOUND", method: "ImageService/PullImage" });
  expect(error.details).toMatch(/^2 of 3 images could not be pulled\nbad\/a:1: .*not found\nprivate\/b:1: .*denied/);
  expect(error.results).toMatchObject([
    { reference: "bad/a:1", state: "failed", error: { name: "ImagePullError", reason: "NotFound" } },
    { reference: "a:1", state: "pulled", image: { repoTags: ["docker.io/library/a:1"] } },
    { reference: "private/b:1", state: "failed", error: { reason: "Unauthorized" } },
  ]);
  expect(error.cause).toBe((error.results[0] as { error: CriError }).error);
});

test("stopOnError starts no further pulls after a failure", async () => {
  const { runtime, cri } = await startFake({ registry });
  const states: string[] = [];
  const error = (await rejection(
    cri.images.pullAll(["a:1", "bad/a:1", "b:1", "c:1"], {
      concurrency: 1,
      stopOnError: true,
      onProgress: ({ reference, state }) => states.push(`${reference} ${state}`),
    }),
  )) as ImagePullsError;
  expect(error.results.map(({ state }) => state)).toEqual(["pulled", "failed", "skipped", "skipped"]);
  expect(pullsOf(runtime)).toEqual(["a:1", "bad/a:1"]);
  expect(states.slice(-2)).toEqual(["b:1 skipped", "c:1 skipped"]);
});

test("never has more pulls in progress than the concurrency", async () => {
  const { runtime, cri } = await startFake();
  runtime.delayNext("PullImage", 5, { times: 9 });
  let most = 0;
  await cri.images.pullAll(
    Array.from({ length: 9 }, (_, index) => `image-${index}:1`),
    { concurrency: 4, onProgress: ({ counts }) => (most = Math.max(most, counts.pulling)) },
  );
  expect(most).toBe(4);
});

test("reports each change of state with the number of images in each state", async () => {
  const { cri } = await startFake({ registry });
  const reports: PullProgress[] = [];
  await rejection(
    cri.images.pullAll(["busybox:1", "a:1", "a:1", "bad/b:1", { image: "c:1", pullPolicy: "never" }], {
      concurrency: 1,
      onProgress: (progress) => reports.push(progress),
    }),
  );
  expect(reports.map(({ reference, state, error }) => [reference, state, error?.code])).toEqual([
    ["busybox:1", "queued", undefined],
    ["a:1", "queued", undefined],
    ["bad/b:1", "queued", undefined],
    ["c:1", "queued", undefined],
    ["busybox:1", "present", undefined],
    ["a:1", "pulling", undefined],
    ["a:1", "pulled", undefined],
    ["bad/b:1", "pulling", undefined],
    ["bad/b:1", "failed", "NOT_FOUND"],
    ["c:1", "failed", "NOT_FOUND"],
  ]);
  expect(reports[0]!.counts).toEqual({ queued: 4, pulling: 0, present: 0, pulled: 0, failed: 0, skipped: 0 });
  expect(reports.at(-1)!.counts).toEqual({ queued: 0, pulling: 0, present: 1, pulled: 1, failed: 2, skipped: 0 });
});

test("an aborted signal cancels the pulls in progress and starts no others", async () => {
  const { runtime, cri } = await startFake();
  runtime.delayNext("PullImage", 60_000, { times: 9 });
  const abort = new AbortController();
  const reason = new Error("stop");
  const onProgress = ({ counts }: PullProgress) => counts.pulling === 2 && abort.abort(reason);
  const pull = cri.images.pullAll(["a:1", "b:1", "c:1"], { concurrency: 2, signal: abort.signal, onProgress });
  expect(await rejection(pull)).toBe(reason);
  expect(pullsOf(runtime)).not.toContain("c:1");
  runtime.clearFaults();
  expect(await rejection(cri.with({ signal: abort.signal }).images.pullAll(["a:1"]))).toBe(reason);
});

test("rejects with the error of onProgress, and cancels the pulls in progress", async () => {
  const { runtime, cri } = await startFake();
  runtime.delayNext("PullImage", 60_000, { times: 9 });
  const failure = new Error("no terminal");
  const onProgress = ({ counts }: PullProgress) => {
    if (counts.pulling === 2) throw failure;
  };
  expect(await rejection(cri.images.pullAll(["a:1", "b:1", "c:1"], { concurrency: 2, onProgress }))).toBe(failure);
});

test("the time limit applies to the whole list, and the error has the results of the pulls that were complete", async () => {
  const { runtime, cri } = await startFake();
  runtime.delayNext("PullImage", 0);
  runtime.delayNext("PullImage", 60_000);
  const pull = cri.images.pullAll(["a:1", "b:1", "c:1"], { concurrency: 1, timeoutMs: 1_500 });
  const error = (await rejection(pull)) as ImagePullsError;
  expect(error).toMatchObject({ name: "ImagePullsError", code: "DEADLINE_EXCEEDED" });
  expect(error.results.map(({ state }) => state)).toEqual(["pulled", "failed", "failed"]);
  expect(pullsOf(runtime)).toEqual(["a:1", "b:1"]);
});

test("closing the client ends all pulls", async () => {
  const { runtime, cri } = await startFake();
  runtime.delayNext("PullImage", 60_000, { times: 9 });
  const onProgress = ({ counts }: PullProgress) => counts.pulling === 1 && void cri.close();
  const pull = cri.images.pullAll(["a:1", "b:1"], { concurrency: 1, onProgress });
  expect(await rejection(pull)).toMatchObject({ name: "CriError", code: "CLIENT_CLOSED" });
});

test.each([
  ["images", "a:1"],
  ["images[1]", ["a:1", ""]],
  ["images[1].image", ["a:1", { image: "UPPER:1" }]],
  ["images[0].auth.password", [{ image: "a:1", auth: { username: "u" } }]],
  ["images[0].pullPolicy", [{ image: "a:1", pullPolicy: "sometimes" }]],
])("refuses an invalid %s before any I/O", async (field, images) => {
  const { runtime, cri } = await startFake();
  expect(await rejection(cri.images.pullAll(images as never))).toMatchObject({ code: "INVALID_INPUT", field });
  expect(runtime.calls).toEqual([]);
});

test.each([
  ["concurrency", { concurrency: 0 }],
  ["onProgress", { onProgress: "log" as never }],
  ["auth.password", { auth: { username: "u" } as never }],
  ["pullPolicy", { pullPolicy: "sometimes" as never }],
])("refuses an invalid option %s", async (field, options) => {
  const { cri } = await startFake();
  expect(await rejection(cri.images.pullAll(["a:1"], options))).toMatchObject({ code: "INVALID_INPUT", field });
});
