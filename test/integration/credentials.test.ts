/** Pulls with the credentials of configuration files, pull secrets and helper programs. */

import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CredentialsError, CriError, ImagePullError, type PullSecret, RegistryCredentials } from "../../src/index.js";
import type { FakeFlavor, FakeRuntime } from "../../src/testing/index.js";
import { HelperPrograms } from "../support/helper-programs.js";
import { rejection, startFake } from "./support.js";

const app = "registry.example/team/app:1";
const right = { username: "user", password: "hunter2" };

let programs: HelperPrograms;
beforeEach(async () => {
  programs = await HelperPrograms.create();
});
afterEach(() => programs[Symbol.asyncDispose]());

const encode = (text: string) => Buffer.from(text).toString("base64");
const entry = (password: string) => ({ auth: encode(`user:${password}`) });

function secret(name: string, auths: object): PullSecret {
  const stringData = { ".dockerconfigjson": JSON.stringify({ auths }) };
  return { type: "kubernetes.io/dockerconfigjson", metadata: { name, namespace: "team" }, stringData };
}

/** Starts a fake whose registry needs the right credentials for the team's images. */
const start = (flavor: FakeFlavor = "containerd-2") =>
  startFake({ flavor, registry: { "registry.example/team/*": right, "registry.example/gone:*": "missing" } });

const loadFile = async (config: object) =>
  RegistryCredentials.load({ env: programs.env, files: [await programs.json("config.json", config)] });

/** Returns the passwords of all pulls; `undefined` for one without credentials. */
const passwordsOf = (runtime: FakeRuntime) => runtime.callsOf("PullImage").map(({ request }) => request.auth?.password);

async function failureOf(promise: Promise<unknown>): Promise<CriError> {
  const error = await rejection(promise);
  expect(error).toBeInstanceOf(CriError);
  const shown = [String(error), inspect(error, { depth: 9, showHidden: true }), JSON.stringify(error)].join("\n");
  for (const password of [right.password, "wrong"]) {
    expect(shown).not.toContain(password);
    expect(shown).not.toContain(encode(`user:${password}`));
  }
  return error as CriError;
}

test.each<FakeFlavor>(["containerd-2", "cri-o", "cri-dockerd"])("%s gets user name and password", async (flavor) => {
  const { runtime, cri } = await start(flavor);
  const auth = await loadFile({ auths: { "registry.example": entry(right.password) } });
  await cri.images.pull(app, { auth });
  const request = runtime.callsOf("PullImage")[0]!.request;
  expect(request.auth).toMatchObject({ ...right, auth: "", serverAddress: "https://registry.example" });
});

test("tries all credentials until one is accepted, the most specific first", async () => {
  const { runtime, cri } = await start();
  const auth = RegistryCredentials.fromSecrets([
    secret("a", { "registry.example": entry("second"), "*.example": entry(right.password) }),
    secret("b", { "registry.example/team": entry("first"), "*.example/other": entry("never") }),
  ]);
  await cri.images.pull(app, { auth });
  expect(passwordsOf(runtime)).toEqual(["first", "second", right.password]);
});

test("ensure, pullAll and the creation of a container accept the same object", async () => {
  const { runtime, cri } = await start();
  const auth = await loadFile({ auths: { "registry.example": entry(right.password) } });
  await cri.images.ensure(app, { auth });
  await cri.images.pullAll(["registry.example/team/other:1"], { auth });
  const pod = await cri.pods.run({ name: "p" });
  const spec = { name: "c", image: "registry.example/team/third:1" };
  const container = await cri.createContainerInSandbox(pod, spec, { auth });
  await container.restart({ spec: { name: "c", image: "registry.example/team/fourth:1" }, auth });
  expect(passwordsOf(runtime)).toEqual(Array(4).fill(right.password));
});

test("an object with another lookup is refused, not used as RegistryCredentials", async () => {
  const { runtime, cri } = await start();
  const auth = { lookup: async () => [] } as never;
  expect(await failureOf(cri.images.pull(app, { auth }))).toMatchObject({
    code: "INVALID_INPUT",
    field: "auth.lookup",
  });
  expect(runtime.callsOf("PullImage")).toEqual([]);
});

test("an image whose registry no source names is pulled without credentials", async () => {
  const { runtime, cri } = await start();
  const auth = await loadFile({ auths: { "registry.example": entry(right.password) } });
  await cri.images.pull("public.example/app:1", { auth });
  expect(passwordsOf(runtime)).toEqual([undefined]);
});

describe("a refused pull", () => {
  test("names all sources that were tried, and the reason of the registry", async () => {
    const { runtime, cri } = await start();
    const file = await loadFile({ auths: { "registry.example": entry("wrong") } });
    const auth = file.withSecrets([secret("pull", { "registry.example/team": entry("wrong again") })]);
    const error = await failureOf(cri.images.pull(app, { auth }));
    expect(error).toBeInstanceOf(ImagePullError);
    expect(error).toMatchObject({ reason: "Unauthorized", image: app, attempts: 2, endpoint: runtime.endpoint });
    expect(error.details).toMatch(/authorization failed/);
    expect(error.details).toContain(
      "no credentials for registry.example were accepted, tried 2: registry.example/team in Secret team/pull (Unauthorized), " +
        `registry.example in ${programs.path("config.json")} (Unauthorized)`,
    );
  });

  test("says that no source had credentials, if it was sent without", async () => {
    const { cri } = await start();
    const auth = await loadFile({ auths: { "other.example": entry(right.password) } });
    const error = await failureOf(cri.images.pull(app, { auth }));
    expect(error).toMatchObject({ name: "ImagePullError", reason: "Unauthorized", attempts: 1 });
    expect(error.details).toContain(
      `pulled without credentials, because no source has any for registry.example: ${programs.path("config.json")}`,
    );
  });

  test("for a missing image tries all credentials, because registries hide images", async () => {
    const { runtime, cri } = await start();
    const auth = RegistryCredentials.fromSecrets([
      secret("a", { "registry.example": entry("first"), "*.example": entry("second") }),
    ]);
    const error = await failureOf(cri.images.pull("registry.example/gone:1", { auth }));
    expect(error).toMatchObject({ code: "NOT_FOUND", reason: "NotFound", attempts: 2 });
    expect(passwordsOf(runtime)).toEqual(["first", "second"]);
  });

  test("for another reason is not repeated with other credentials", async () => {
    const { runtime, cri } = await start();
    runtime.failNext("PullImage", { code: "UNKNOWN", message: "dial tcp: connect: connection refused" });
    const auth = RegistryCredentials.fromSecrets([
      secret("a", { "registry.example": entry("first"), "*.example": entry(right.password) }),
    ]);
    const error = await failureOf(cri.images.pull(app, { auth }));
    expect(error).toMatchObject({ reason: "RegistryUnavailable" });
    expect(passwordsOf(runtime)).toEqual(["first"]);
  });
});

describe("a helper program", () => {
  const config = { credHelpers: { "registry.example": "test" } };

  test("that fails prevents the pull", async () => {
    const { runtime, cri } = await start();
    const auth = await loadFile(config);
    const error = await failureOf(cri.images.pull(app, { auth }));
    expect(error).toBeInstanceOf(CredentialsError);
    expect(error.details).toContain("docker-credential-test");
    expect(runtime.callsOf("PullImage")).toEqual([]);
  });

  test("is run only if the credentials of earlier sources are refused", async () => {
    const { runtime, cri } = await start();
    await programs.helper("test", right.username, right.password);
    const file = await loadFile(config);
    await cri.images.pull(app, { auth: file.withSecrets([secret("a", { "registry.example": entry("hunter2") })]) });
    expect(await programs.calls()).toEqual([]);
    await cri.images.pull(app, { auth: file.withSecrets([secret("a", { "registry.example": entry("wrong") })]) });
    expect(await programs.calls()).toHaveLength(1);
    expect(passwordsOf(runtime)).toEqual(["hunter2", "wrong", "hunter2"]);
  });

  test("that fails after refused credentials reports both", async () => {
    const { cri } = await start();
    const auth = (await loadFile(config)).withSecrets([secret("a", { "registry.example": entry("wrong") })]);
    const error = await failureOf(cri.images.pull(app, { auth }));
    expect(error.code).toBe("NO_CREDENTIALS");
    expect(error.suppressed).toMatchObject([{ name: "ImagePullError", reason: "Unauthorized" }]);
  });

  test("counts towards the time limit of the pull", async () => {
    const { runtime, cri } = await start();
    await programs.program("docker-credential-test", "sleep 1000");
    const auth = await loadFile(config);
    expect((await failureOf(cri.images.pull(app, { auth, timeoutMs: 200 }))).code).toBe("DEADLINE_EXCEEDED");
    expect(runtime.callsOf("PullImage")).toEqual([]);
  });

  test("is killed when the caller aborts, and when the client closes", async () => {
    const { cri } = await start();
    await programs.program("docker-credential-test", "sleep 1000");
    const auth = await loadFile(config);
    const abort = new AbortController();
    const aborted = rejection(cri.images.pull(app, { auth, signal: abort.signal }));
    const closed = failureOf(cri.images.pull(app, { auth }));
    await expect.poll(() => programs.calls()).toHaveLength(2);
    const reason = new Error("enough");
    abort.abort(reason);
    expect(await aborted).toBe(reason);
    await cri.close();
    expect((await closed).code).toBe("CLIENT_CLOSED");
  });
});

test("a response of a plugin is kept, and renewed after the registry refused it", async () => {
  const { runtime, cri } = await start();
  const apiVersion = "credentialprovider.kubelet.k8s.io/v1";
  const answer = (password: string) => {
    const auth = { "registry.example": { username: "user", password } };
    const response = { apiVersion, kind: "CredentialProviderResponse", cacheKeyType: "Registry", auth };
    return programs.program("provider", `echo '${JSON.stringify(response)}'`);
  };
  const provider = { name: "provider", matchImages: ["*.example"], defaultCacheDuration: "1h", apiVersion };
  const config = await programs.json("providers.json", {
    apiVersion: "kubelet.config.k8s.io/v1",
    kind: "CredentialProviderConfig",
    providers: [provider],
  });
  const plugins = { config, binDir: programs.folder };
  const auth = await RegistryCredentials.load({ env: programs.env, files: [], plugins });

  await answer("wrong");
  expect((await failureOf(cri.images.pull(app, { auth }))).details).toContain("tried 1: registry.example in plugin");
  expect((await failureOf(cri.images.pull(app, { auth }))).details).toContain("tried 1: registry.example in plugin");
  await answer(right.password);
  await cri.images.pull(app, { auth });
  await cri.images.pull(app, { auth });
  expect(passwordsOf(runtime)).toEqual(["wrong", "wrong", "wrong", right.password, right.password]);
  expect(await programs.calls()).toHaveLength(3);
});

describe("a token", () => {
  const tokens = { auths: { "registry.example": { identitytoken: "wrong" } } };

  test.each<[FakeFlavor, object, string]>([
    ["cri-o", { identityToken: "wrong" }, "auth.identityToken: is ignored by cri-o"],
    ["cri-o", { registryToken: "wrong" }, "auth.registryToken: is ignored by cri-o"],
    ["containerd-2", { registryToken: "wrong" }, "auth.registryToken: is ignored by containerd"],
  ])("that %s ignores is refused: %o", async (flavor, auth, message) => {
    const { runtime, cri } = await start(flavor);
    const error = await failureOf(cri.images.pull("public.example/app:1", { auth: auth as never }));
    expect(error.details).toContain(message);
    expect(runtime.callsOf("PullImage")).toEqual([]);
  });

  test.each<[FakeFlavor, object]>([
    ["containerd-2", { identityToken: "wrong" }],
    ["cri-dockerd", { identityToken: "wrong" }],
    ["cri-dockerd", { registryToken: "wrong" }],
  ])("that %s uses is sent: %o", async (flavor, auth) => {
    const { runtime, cri } = await start(flavor);
    await cri.images.pull("public.example/app:1", { auth: auth as never });
    expect(runtime.callsOf("PullImage")).toMatchObject([{ request: { auth } }]);
  });

  test("is skipped for other credentials, and the error says so", async () => {
    const { runtime, cri } = await start("cri-o");
    const file = await loadFile(tokens);
    const both = (password: string) => file.withSecrets([secret("a", { "*.example": entry(password) })]);
    await cri.images.pull(app, { auth: both(right.password) });
    const refused = await failureOf(cri.images.pull(app, { auth: both("wrong") }));
    expect(refused.details).toContain("(not sent: cri-o ignores identityToken)");
    expect(passwordsOf(runtime)).toEqual([right.password, "wrong"]);
    const error = await failureOf(cri.images.pull(app, { auth: file }));
    expect(error).toMatchObject({ code: "NO_CREDENTIALS", source: programs.path("config.json") });
    expect(passwordsOf(runtime)).toHaveLength(2);
  });
});
