/**
 * Registries that stall, disconnect, send wrong content or refuse. Pulls fail before their deadline, with the right reason, and
 * leave nothing.
 *
 * @module
 */
import { CriError, ImagePullError, type ImagePullFailure } from "k8s-cri-client";
import { expect, test } from "vitest";
import { eventually, failureOf } from "./helpers/expectations.js";
import { HostileRegistry, type Part, type Respond } from "./helpers/hostile-registry.js";
import { labJourneys } from "./helpers/journeys.js";

const respondsWith =
  (status: number, headers: Record<string, string> = {}): Respond =>
  (response) =>
    void response.writeHead(status, headers).end("{}");

const sends =
  (change: (content: Buffer) => Buffer, headers: Record<string, string> = {}): Respond =>
  (response, content, described) => {
    const body = change(content);
    response.writeHead(200, { ...described, "content-length": body.length, ...headers }).end(body);
  };

const stalls: Respond = (response, content, headers) => {
  response.writeHead(200, { ...headers, "content-length": content.length });
  response.write(content.subarray(0, content.length / 2));
};

const resets: Respond = (response, content, headers) => {
  stalls(response, content, headers);
  setTimeout(() => response.socket?.resetAndDestroy(), 20);
};

/** Sends an endless body, slowly enough that the disk is not full before the deadline. */
const neverEnds: Respond = (response, _content, headers) => {
  response.writeHead(200, headers);
  const timer = setInterval(() => response.write(Buffer.alloc(16_384, 1)), 10);
  response.once("close", () => clearInterval(timer));
};

const challenge = { "www-authenticate": 'Basic realm="hostile"' };
const ones = (content: Buffer) => Buffer.alloc(content.length, 1);
const short = (content: Buffer) => content.subarray(0, content.length / 2);

const failures: [what: string, part: Part, respond: Respond, reason: ImagePullFailure, message: RegExp][] = [
  ["401 with a challenge", "manifest", respondsWith(401, challenge), "Unauthorized", /401|authorization failed/],
  ["401 without a challenge", "manifest", respondsWith(401), "Unauthorized", /401/],
  ["401 with a challenge", "layer", respondsWith(401, challenge), "Unauthorized", /401|authoriz/],
  ["403", "manifest", respondsWith(403), "Unauthorized", /403/],
  ["403", "layer", respondsWith(403), "Unauthorized", /403/],
  ["404", "manifest", respondsWith(404), "NotFound", /not found/],
  ["404", "layer", respondsWith(404), "NotFound", /not found/],
  ["429", "manifest", respondsWith(429, { "retry-after": "1" }), "RegistryUnavailable", /429/],
  ["429", "layer", respondsWith(429), "RegistryUnavailable", /429/],
  ["500", "manifest", respondsWith(500), "RegistryUnavailable", /500/],
  ["503", "layer", respondsWith(503), "RegistryUnavailable", /503/],
  ["no response", "manifest", (response) => void response.destroy(), "RegistryUnavailable", /EOF/],
  ["half of the content and a reset", "layer", resets, "RegistryUnavailable", /EOF|connection reset/],
  ["half of the content", "layer", sends(short), "RegistryUnavailable", /EOF/],
  [
    "a wrong digest header",
    "manifest",
    sends((content) => content, { "docker-content-digest": `sha256:${"0".repeat(64)}` }),
    "Other",
    /unexpected commit digest sha256:\w+, expected sha256:0000/,
  ],
  ["wrong content", "config", sends(ones), "Other", /unexpected commit digest/],
  ["wrong content", "layer", sends(ones), "Other", /unexpected commit digest/],
  ["a web page", "manifest", sends(() => Buffer.from("<html>")), "Other", /unexpected commit digest|invalid/],
];

labJourneys("hostile-registry", (fixture, lab) => {
  const { cri } = fixture;

  /** Expects that the runtime lists no image and no tag of the registry. */
  async function expectAbsent(reference: string): Promise<void> {
    expect(await cri.images.get(reference)).toBeUndefined();
    const tags = (await cri.images.list()).flatMap(({ repoTags, repoDigests }) => [...repoTags, ...repoDigests]);
    expect(tags.filter((tag) => tag.startsWith(reference.split("/")[0]!))).toEqual([]);
  }

  /** Expects that the runtime can pull the image once the registry works again. */
  async function expectRecovery(registry: HostileRegistry): Promise<void> {
    registry.fault = undefined;
    // containerd keeps the wrong content for a short time. Pulls fail until containerd has removed it.
    const again = () => cri.images.pull(registry.reference, { timeoutMs: 20_000 }).catch((error: unknown) => error);
    await eventually(again, (result) => typeof result === "string");
    expect((await cri.images.get(registry.reference))?.repoTags).toEqual([registry.reference]);
    await cri.images.remove(registry.reference);
    await expectAbsent(registry.reference);
  }

  test.each(failures)(
    "pull fails if the registry sends %s for the %s",
    async (_what, part, respond, reason, message) => {
      await using registry = await HostileRegistry.start(lab.registriesFolder);
      registry.fault = { part, respond };
      const failure = await failureOf(cri.images.pull(registry.reference, { timeoutMs: 60_000 }));
      expect(failure).toBeInstanceOf(ImagePullError);
      expect(failure).toMatchObject({ reason, image: registry.reference, method: "ImageService/PullImage" });
      expect(String(failure)).toMatch(message);
      await expectAbsent(registry.reference);
      await expectRecovery(registry);
    },
  );

  test.each<[what: string, part: Part, respond: Respond]>([
    ["never sends the manifest", "manifest", () => {}],
    ["stalls halfway through a layer", "layer", stalls],
    ["sends an endless layer", "layer", neverEnds],
  ])(
    "pull ends at its deadline and on abort if the registry %s, and the runtime closes the request",
    async (_what, part, respond) => {
      // Each case needs its own registry and image: containerd resumes a partial layer, and may complete it without a request.
      for (const endPull of [expectTimeout, expectAbort]) {
        await using registry = await HostileRegistry.start(lab.registriesFolder);
        registry.fault = { part, respond };
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

  async function expectTimeout({ reference }: HostileRegistry): Promise<void> {
    const startedAt = performance.now();
    const failure = await failureOf(cri.images.pull(reference, { timeoutMs: 500 }));
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(failure).toMatchObject({ name: "ImagePullError", code: "DEADLINE_EXCEEDED", reason: "Other" });
  }

  async function expectAbort(registry: HostileRegistry): Promise<void> {
    const reason = new Error("aborted by the caller");
    const abort = new AbortController();
    const pull = failureOf(cri.images.pull(registry.reference, { signal: abort.signal }));
    await eventually(
      () => registry.pending,
      (pending) => pending > 0,
    );
    abort.abort(reason);
    expect(await pull).toBe(reason);
  }

  test("runContainer() rejects with the reason of a failed pull, and leaves no container", async () => {
    await using registry = await HostileRegistry.start(lab.registriesFolder);
    registry.fault = { part: "layer", respond: respondsWith(500) };
    const pod = await fixture.sharedPod();
    const spec = fixture.containerSpec({ image: registry.reference });
    const failure = await failureOf(pod.runContainer(spec));
    expect(CriError.is(failure)).toBe(true);
    expect(failure).toMatchObject({ name: "ImagePullError", reason: "RegistryUnavailable", suppressed: [] });
    expect(await cri.containers.list({ pod, name: spec.name })).toEqual([]);
  });
});
