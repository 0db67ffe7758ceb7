/** Registries that stall, break off, lie or refuse: pulls fail in time and for the right reason, and leave nothing half done. */
import { CriError, ImagePullError, type ImagePullFailure } from "k8s-cri-client";
import { expect, test } from "vitest";
import { eventually, failureOf } from "./helpers/expectations.js";
import { HostileRegistry, type Part, type Spoil } from "./helpers/hostile-registry.js";
import { labJourneys } from "./helpers/journeys.js";

const says =
  (status: number, headers: Record<string, string> = {}): Spoil =>
  (response) =>
    void response.writeHead(status, headers).end("{}");

const sends =
  (change: (content: Buffer) => Buffer, headers: Record<string, string> = {}): Spoil =>
  (response, content, described) => {
    const body = change(content);
    response.writeHead(200, { ...described, "content-length": body.length, ...headers }).end(body);
  };

const stallsIn: Spoil = (response, content, headers) => {
  response.writeHead(200, { ...headers, "content-length": content.length });
  response.write(content.subarray(0, content.length / 2));
};

const resetsIn: Spoil = (response, content, headers) => {
  stallsIn(response, content, headers);
  setTimeout(() => response.socket?.resetAndDestroy(), 20);
};

/** A body that goes on for ever, slowly enough not to fill the disk before the time is over. */
const neverEnds: Spoil = (response, _content, headers) => {
  response.writeHead(200, headers);
  const timer = setInterval(() => response.write(Buffer.alloc(16_384, 1)), 10);
  response.once("close", () => clearInterval(timer));
};

const challenge = { "www-authenticate": 'Basic realm="hostile"' };
const ones = (content: Buffer) => Buffer.alloc(content.length, 1);
const short = (content: Buffer) => content.subarray(0, content.length / 2);

const failures: [what: string, part: Part, how: Spoil, reason: ImagePullFailure, words: RegExp][] = [
  ["asks for a password for", "manifest", says(401, challenge), "Unauthorized", /401|authorization failed/],
  ["refuses without a word about passwords", "manifest", says(401), "Unauthorized", /401/],
  ["has served the rest and asks for a password for", "layer", says(401, challenge), "Unauthorized", /401|authoriz/],
  ["forbids", "manifest", says(403), "Unauthorized", /403/],
  ["has served the rest and forbids", "layer", says(403), "Unauthorized", /403/],
  ["does not have", "manifest", says(404), "NotFound", /not found/],
  ["has served the rest and does not have", "layer", says(404), "NotFound", /not found/],
  ["has had too many requests for", "manifest", says(429, { "retry-after": "1" }), "RegistryUnavailable", /429/],
  ["has served the rest and had too many requests for", "layer", says(429), "RegistryUnavailable", /429/],
  ["is in trouble at", "manifest", says(500), "RegistryUnavailable", /500/],
  ["has served the rest and is in trouble at", "layer", says(503), "RegistryUnavailable", /503/],
  ["hangs up on", "manifest", (response) => void response.destroy(), "RegistryUnavailable", /EOF/],
  ["resets the connection in the middle of", "layer", resetsIn, "RegistryUnavailable", /EOF|connection reset/],
  ["cuts short", "layer", sends(short), "RegistryUnavailable", /EOF/],
  [
    "lies about the digest of",
    "manifest",
    sends((content) => content, { "docker-content-digest": `sha256:${"0".repeat(64)}` }),
    "Other",
    /unexpected commit digest sha256:\w+, expected sha256:0000/,
  ],
  ["has something else for", "config", sends(ones), "Other", /unexpected commit digest/],
  ["has something else for", "layer", sends(ones), "Other", /unexpected commit digest/],
  ["has a web page for", "manifest", sends(() => Buffer.from("<html>")), "Other", /unexpected commit digest|invalid/],
];

labJourneys("hostile-registry", (fixture, lab) => {
  const { cri } = fixture;

  /** What a good pull leaves is there; what a failed one leaves is not. */
  async function expectAbsent(reference: string): Promise<void> {
    expect(await cri.images.get(reference)).toBeUndefined();
    const tags = (await cri.images.list()).flatMap(({ repoTags, repoDigests }) => [...repoTags, ...repoDigests]);
    expect(tags.filter((tag) => tag.startsWith(reference.split("/")[0]!))).toEqual([]);
  }

  /** The same image can be had once the registry has come to its senses. */
  async function expectRecovery(registry: HostileRegistry): Promise<void> {
    registry.spoilt = undefined;
    // containerd keeps what it has fetched for a moment, wrong as it may be, and trips over it until that has been cleared away.
    const again = () => cri.images.pull(registry.reference, { timeoutMs: 20_000 }).catch((error: unknown) => error);
    await eventually(again, (result) => typeof result === "string");
    expect((await cri.images.get(registry.reference))?.repoTags).toEqual([registry.reference]);
    await cri.images.remove(registry.reference);
    await expectAbsent(registry.reference);
  }

  test.each(failures)("one that %s the %s", async (_what, part, by, reason, words) => {
    await using registry = await HostileRegistry.start(lab.registriesFolder);
    registry.spoilt = { part, by };
    const failure = await failureOf(cri.images.pull(registry.reference, { timeoutMs: 60_000 }));
    expect(failure).toBeInstanceOf(ImagePullError);
    expect(failure).toMatchObject({ reason, image: registry.reference, method: "ImageService/PullImage" });
    expect(String(failure)).toMatch(words);
    await expectAbsent(registry.reference);
    await expectRecovery(registry);
  });

  test.each<[what: string, part: Part, how: Spoil]>([
    ["never answers for the manifest", "manifest", () => {}],
    ["stalls in the middle of a layer", "layer", stallsIn],
    ["sends a layer without an end", "layer", neverEnds],
  ])(
    "one that %s: the pull ends in time, or at the caller's wish, and the runtime lets go of it",
    async (_what, part, by) => {
      // One registry and image for each: containerd goes on from what it has of a layer, and may be done with it before it asks.
      for (const endPull of [inTime, atTheCallersWish]) {
        await using registry = await HostileRegistry.start(lab.registriesFolder);
        registry.spoilt = { part, by };
        await endPull(registry);
        await eventually(
          () => registry.pending,
          (pending) => pending === 0,
        );
        await expectAbsent(registry.reference);
        await expectRecovery(registry);
      }
    },
  );

  async function inTime({ reference }: HostileRegistry): Promise<void> {
    const startedAt = performance.now();
    const late = await failureOf(cri.images.pull(reference, { timeoutMs: 500 }));
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(late).toMatchObject({ name: "ImagePullError", code: "DEADLINE_EXCEEDED", reason: "Other" });
  }

  async function atTheCallersWish(registry: HostileRegistry): Promise<void> {
    const reason = new Error("not waiting for that");
    const abort = new AbortController();
    const pull = failureOf(cri.images.pull(registry.reference, { signal: abort.signal }));
    await eventually(
      () => registry.pending,
      (pending) => pending > 0,
    );
    abort.abort(reason);
    expect(await pull).toBe(reason);
  }

  test("a container whose image cannot be had: the reason is the pull's, and nothing is left", async () => {
    await using registry = await HostileRegistry.start(lab.registriesFolder);
    registry.spoilt = { part: "layer", by: says(500) };
    const pod = await fixture.sharedPod();
    const spec = fixture.containerSpec({ image: registry.reference });
    const failure = await failureOf(pod.runContainer(spec));
    expect(CriError.is(failure)).toBe(true);
    expect(failure).toMatchObject({ name: "ImagePullError", reason: "RegistryUnavailable", suppressed: [] });
    expect(await cri.containers.list({ pod, name: spec.name })).toEqual([]);
  });
});
