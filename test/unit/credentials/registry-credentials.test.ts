import { mkdir, readFile, writeFile } from "node:fs/promises";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it, test } from "vitest";
import { RegistryCredentials, type RegistryCredentialsOptions } from "../../../src/credentials/registry-credentials.js";
import { CredentialsError, CriError, InvalidInputError } from "../../../src/errors.js";
import type { PullSecret } from "../../../src/specs/credentials/pull-secret.js";
import { HelperPrograms } from "../../support/helper-programs.js";

const secret = "hunter2";
const encode = (pair: string) => Buffer.from(pair).toString("base64");
const entry = (user: string) => ({ auth: encode(`${user}:${secret}`) });
const app = "registry.example/team/app:1";

let programs: HelperPrograms;
beforeEach(async () => {
  programs = await HelperPrograms.create();
});
afterEach(() => programs[Symbol.asyncDispose]());

const load = (options: RegistryCredentialsOptions = {}) =>
  RegistryCredentials.load({ env: programs.env, files: [], ...options });

/** Loads one configuration file. */
const loadFile = async (config: object, options: RegistryCredentialsOptions = {}) =>
  load({ files: [await programs.json("config.json", config)], ...options });

/** Returns the source, key and user of each match. */
async function usersFor(credentials: RegistryCredentials, image = app): Promise<string[]> {
  const matches = await credentials.lookup(image);
  return matches.map(({ source, key, auth }) => {
    const user = auth.auth ? Buffer.from(auth.auth, "base64").toString().split(":")[0] : (auth.username ?? "token");
    return `${user} for ${key} in ${source.replace(programs.folder, "")}`;
  });
}

async function failure(promise: Promise<unknown>): Promise<CriError> {
  try {
    await promise;
  } catch (error) {
    expect(error).toBeInstanceOf(CriError);
    const shown = [String(error), inspect(error, { depth: 9, showHidden: true }), JSON.stringify(error)].join("\n");
    expect(shown).not.toContain(secret);
    expect(shown).not.toContain(encode(`user:${secret}`));
    return error as CriError;
  }
  return expect.fail("was accepted");
}

const pullSecret = (name: string, auths: object): PullSecret => ({
  type: "kubernetes.io/dockerconfigjson",
  metadata: { name, namespace: "team" },
  data: { ".dockerconfigjson": encode(JSON.stringify({ auths })) },
});

describe("sources", () => {
  it("are tried in the order of a kubelet: secrets, files, plugins", async () => {
    await programs.program(
      "plugin",
      `echo '{"kind":"CredentialProviderResponse","apiVersion":"credentialprovider.kubelet.k8s.io/v1","cacheKeyType":"Image","auth":{"*.example":{"username":"plugin","password":"${secret}"}}}'`,
    );
    const config = await programs.json("providers.json", providerConfig({}));
    const credentials = await loadFile(
      { auths: { "registry.example": entry("file") } },
      { plugins: { config, binDir: programs.folder }, secrets: [pullSecret("pull", { "*.example": entry("secret") })] },
    );
    expect(await usersFor(credentials)).toEqual([
      "secret for *.example in Secret team/pull",
      "file for registry.example in /config.json",
      "plugin for *.example in plugin plugin",
    ]);
    expect(await usersFor(credentials, "other.test/app")).toEqual([]);
  });

  it("of secrets are one source: the most specific key of all secrets is tried first", async () => {
    const credentials = RegistryCredentials.fromSecrets([
      pullSecret("a", { "registry.example": entry("a"), "*.example/team": entry("pattern") }),
      pullSecret("b", { "registry.example/team": entry("b"), "registry.example": entry("b2") }),
    ]);
    expect(await usersFor(credentials)).toEqual([
      "b for registry.example/team in Secret team/b",
      "a for registry.example in Secret team/a",
      "b2 for registry.example in Secret team/b",
      "pattern for *.example/team in Secret team/a",
    ]);
  });

  it("withSecrets tries secrets before the sources of the original, which stays as it is", async () => {
    const file = await loadFile({ auths: { "registry.example": entry("file") } });
    const both = file.withSecrets([pullSecret("pull", { "registry.example": entry("secret") })]);
    expect(await usersFor(both)).toEqual([
      "secret for registry.example in Secret team/pull",
      "file for registry.example in /config.json",
    ]);
    expect(await usersFor(file)).toHaveLength(1);
  });

  it("shows sources and registries, but no credentials", async () => {
    const credentials = (await loadFile({ auths: { "registry.example": entry("file") } })).withSecrets([
      pullSecret("pull", { "registry.example/team": entry("secret") }),
    ]);
    const [match] = await credentials.lookup(app);
    for (const value of [credentials, match]) {
      const shown = `${inspect(value, { depth: 9, showHidden: true })}\n${JSON.stringify(value)}`;
      expect(shown).toContain("registry.example/team");
      expect(shown).toContain("Secret team/pull");
      expect(shown).not.toContain(entry("secret").auth);
      expect(shown).not.toContain(secret);
    }
    expect(credentials.sources).toEqual([
      { source: "Secret team/pull", registries: ["registry.example/team"] },
      { source: programs.path("config.json"), registries: ["registry.example"] },
    ]);
  });

  it("that have the same credentials count once, and more than 50 different ones are refused", async () => {
    const many = (count: number) =>
      Object.fromEntries(
        Array.from({ length: 60 }, (_, index) => [
          `registry.example${"/".repeat(index)}`,
          entry(`user${Math.min(index, count - 1)}`),
        ]),
      );
    const lookup = (count: number) => RegistryCredentials.fromSecrets([pullSecret("many", many(count))]).lookup(app);
    expect(await lookup(1)).toHaveLength(1);
    expect(await lookup(50)).toHaveLength(50);
    const error = await failure(lookup(51));
    expect(error).toMatchObject({ code: "NO_CREDENTIALS", source: "Secret team/many", registry: "registry.example" });
    expect(error.details).toContain(`more than 50 different credentials match ${app}`);
  });

  it("that name the registry without credentials fail, instead of a pull without credentials", async () => {
    const credentials = await loadFile({ auths: { "registry.example": {} } });
    const error = await failure(credentials.lookup(app));
    expect(error).toMatchObject({
      name: "CredentialsError",
      code: "NO_CREDENTIALS",
      registry: "registry.example",
      source: programs.path("config.json"),
    });
    expect(error.details).toMatch(/names registry.example, but .*its entry has no credentials; log in to the registry/);
    const both = credentials.withSecrets([pullSecret("pull", { "registry.example": entry("secret") })]);
    expect(await usersFor(both)).toEqual(["secret for registry.example in Secret team/pull"]);
  });
});

describe("files", () => {
  const inFolders = async (files: Record<string, object>) => {
    for (const [name, auths] of Object.entries(files)) {
      await mkdir(programs.path(name.replace(/[^/]*$/, "")), { recursive: true });
      await programs.json(name, name === ".dockercfg" ? auths : { auths });
    }
  };
  const loadDefault = (env: NodeJS.ProcessEnv = {}) => RegistryCredentials.load({ env: { ...programs.env, ...env } });

  it("of the user are read: Docker's, then Podman's", async () => {
    await inFolders({
      ".docker/config.json": { "registry.example": entry("docker") },
      ".dockercfg": { "registry.example": entry("old") },
      "run/containers/auth.json": { "registry.example/team": entry("podman") },
      ".config/containers/auth.json": { "registry.example": entry("home") },
    });
    expect(await usersFor(await loadDefault())).toEqual([
      "docker for registry.example in /.docker/config.json",
      "podman for registry.example/team in /run/containers/auth.json",
      "home for registry.example in /.config/containers/auth.json",
    ]);
  });

  it("of the user may be missing", async () => {
    expect((await loadDefault()).sources).toEqual([]);
  });

  it("include .dockercfg if there is no config.json", async () => {
    await inFolders({ ".dockercfg": { "https://registry.example/v1/": entry("old") } });
    expect(await usersFor(await loadDefault())).toEqual(["old for https://registry.example/v1/ in /.dockercfg"]);
  });

  it("are those that DOCKER_CONFIG, REGISTRY_AUTH_FILE and XDG_CONFIG_HOME name", async () => {
    await inFolders({
      ".docker/config.json": { "registry.example": entry("docker") },
      "other/config.json": { "registry.example": entry("other") },
      "xdg/containers/auth.json": { "registry.example": entry("xdg") },
      "auth.json": { "registry.example": entry("file") },
    });
    const DOCKER_CONFIG = programs.path("other");
    const REGISTRY_AUTH_FILE = programs.path("auth.json");
    expect(await usersFor(await loadDefault({ DOCKER_CONFIG, REGISTRY_AUTH_FILE }))).toEqual([
      "other for registry.example in /other/config.json",
      "file for registry.example in /auth.json",
    ]);
    expect(await usersFor(await loadDefault({ XDG_CONFIG_HOME: programs.path("xdg") }))).toEqual([
      "docker for registry.example in /.docker/config.json",
      "xdg for registry.example in /xdg/containers/auth.json",
    ]);
  });

  it("that a variable or an option names must exist", async () => {
    const path = programs.path("absent.json");
    const message = `${path}: does not exist`;
    expect((await failure(loadDefault({ REGISTRY_AUTH_FILE: path }))).details).toBe(message);
    expect((await failure(load({ files: [path] }))).details).toBe(message);
    expect((await failure(load({ files: ["~/config.json"] }))).details).toMatch(
      /does not exist; write the home directory instead of ~$/,
    );
    expect((await failure(load({ files: [programs.folder] }))).details).toMatch(/is a directory, not a regular file$/);
  });

  test.each<[string, string, RegExp]>([
    ["is not JSON", `{"auths": ${secret}`, /: config: is not JSON$/],
    ["is a list", `["${secret}"]`, /: config: must be an object$/],
    ["is too large", " ".repeat(1024 * 1024 + 1), /: has 1048577 bytes or more; at most 1048576 are read$/],
    ["is a Secret", JSON.stringify({ kind: "Secret", data: { ".dockercfg": secret } }), /is a Kubernetes Secret/],
  ])("are refused if one %s", async (_, content, message) => {
    await writeFile(programs.path("config.json"), content);
    const error = await failure(load({ files: [programs.path("config.json")] }));
    expect(error).toBeInstanceOf(InvalidInputError);
    expect(error.details).toMatch(message);
    expect(error.details).toContain(programs.path("config.json"));
  });

  it("may be empty", async () => {
    await writeFile(programs.path("config.json"), "");
    expect(await usersFor(await load({ files: [programs.path("config.json")] }))).toEqual([]);
  });

  it("have entries of all forms", async () => {
    const auths = {
      "a.example": { username: "user", password: secret },
      "b.example": { auth: encode("<token>:"), identitytoken: secret },
      "c.example": { registrytoken: secret },
    };
    const credentials = await loadFile({ auths });
    const authFor = async (image: string) => (await credentials.lookup(image))[0]?.auth;
    expect(await authFor("a.example/app")).toEqual({ username: "user", password: secret, serverAddress: "a.example" });
    expect(await authFor("b.example/app")).toEqual({ identityToken: secret, serverAddress: "b.example" });
    expect(await authFor("c.example/app")).toEqual({ registryToken: secret, serverAddress: "c.example" });
  });

  it("may have URLs with a user name and password as keys, which are ignored and never shown", async () => {
    const key = `https://user:${secret}@registry.example/team`;
    const credentials = await loadFile({ auths: { [key]: entry("file") }, credHelpers: { [`u:${secret}@a.test`]: 1 } });
    expect(credentials.sources[0]?.registries).toEqual(["https://registry.example/team", "a.test"]);
    expect(await usersFor(credentials)).toEqual(["file for https://registry.example/team in /config.json"]);
    expect((await failure(credentials.lookup("a.test/app"))).details).toMatch(
      /credHelpers\["a.test"\]: must be a string$/,
    );
    await failure((await loadFile({ auths: { [key]: { auth: 1 } } })).lookup(app));
  });

  it("are refused for an image whose entry is malformed, and only for it", async () => {
    const credentials = await loadFile({
      auths: { "a.example": { auth: encode(secret) }, "registry.example": entry("u") },
    });
    expect(await usersFor(credentials)).toHaveLength(1);
    const error = await failure(credentials.lookup("a.example/app"));
    expect(error.details).toBe(
      `${programs.path("config.json")}: config.auths["a.example"].auth: must be base64 of username:password`,
    );
  });
});

describe("credential helpers", () => {
  const config = { credHelpers: { "registry.example": "test" }, credsStore: "store" };

  it("of the registry are run with `get` and the registry as input", async () => {
    await programs.helper("test", "user", secret);
    const credentials = await loadFile(config);
    expect(await credentials.lookup(app)).toMatchObject([
      { key: "registry.example", auth: { username: "user", password: secret, serverAddress: "registry.example" } },
    ]);
    expect(await usersFor(credentials)).toEqual(["user for registry.example in /config.json (docker-credential-test)"]);
    expect((await programs.calls())[0]).toBe("docker-credential-test get registry.example");
  });

  it("may return an identity token", async () => {
    await programs.helper("test", "<token>", secret);
    const [match] = await (await loadFile(config)).lookup(app);
    expect(match?.auth).toEqual({ identityToken: secret, serverAddress: "registry.example" });
  });

  it("of credsStore are run for all other registries, and know Docker Hub by its URL", async () => {
    await programs.helper("store", "user", secret);
    const credentials = await loadFile(config);
    expect(await usersFor(credentials, "nginx")).toHaveLength(1);
    expect(await usersFor(credentials, "localhost:5000/app")).toHaveLength(1);
    expect(await programs.calls()).toEqual([
      "docker-credential-store get https://index.docker.io/v1/",
      "docker-credential-store get localhost:5000",
    ]);
  });

  it("are tried before the entries of the file, and credsStore is not asked if there is an entry", async () => {
    await programs.helper("test", "helper", secret);
    const auths = { "registry.example": entry("file"), "other.example": entry("other") };
    const credentials = await loadFile({ ...config, auths });
    expect(await usersFor(credentials)).toEqual([
      "helper for registry.example in /config.json (docker-credential-test)",
      "file for registry.example in /config.json",
    ]);
    expect(await usersFor(credentials, "other.example/app")).toEqual(["other for other.example in /config.json"]);
  });

  it("are disabled by an empty name", async () => {
    expect(await usersFor(await loadFile({ ...config, credHelpers: { "registry.example": "" } }))).toEqual([]);
  });

  const notFound = "echo 'credentials not found in native keychain'; exit 1";

  it("that have no credentials do not fail, and other sources are tried", async () => {
    await programs.program("docker-credential-store", notFound);
    await programs.program("docker-credential-test", notFound);
    const credentials = await loadFile(config);
    expect(await usersFor(credentials, "other.example/app")).toEqual([]);
    const both = await loadFile({ ...config, auths: { "registry.example": entry("file") } });
    expect(await usersFor(both)).toEqual(["file for registry.example in /config.json"]);
  });

  it("that are named for the registry and have no credentials prevent a pull without credentials", async () => {
    await programs.program("docker-credential-test", notFound);
    const error = await failure((await loadFile(config)).lookup(app));
    expect(error).toMatchObject({ code: "NO_CREDENTIALS", registry: "registry.example" });
    expect(error.details).toContain("docker-credential-test has none");
    await programs.program("docker-credential-store", notFound);
    const named = await loadFile({ credsStore: "store", auths: { "registry.example": {} } });
    expect((await failure(named.lookup(app))).details).toContain("docker-credential-store has none");
  });

  test.each<[string, string, RegExp]>([
    ["prints rubbish", `echo '${secret}'`, /printed something other than JSON;/],
    ["prints a list", `echo '["${secret}"]'`, /printed something other than a JSON object;/],
    ["prints a number as secret", `echo '{"Username":"user","Secret":5}'`, /a Secret that is not a string/],
    ["prints no user", `echo '{"Secret":"${secret}"}'`, /printed no Username/],
    ["prints no secret", `echo '{"Username":"user"}'`, /printed no Secret/],
    ["prints nothing", "", /printed something other than JSON/],
    ["fails", "echo 'no such collection'; exit 3", /failed with exit code 3: no such collection;/],
    ["fails on standard error", "echo 'locked' >&2; exit 1", /failed with exit code 1: locked/],
    ["fails after the credentials", `echo '{"Secret":"${secret}"}'; exit 1`, /failed with exit code 1;/],
    ["is killed", "kill -9 $$", /was killed by a signal/],
    ["prints without end", "yes", /printed more than 256 KiB, and was killed/],
    ["prints errors without end", "yes >&2", /printed more than 256 KiB, and was killed/],
  ])("that %s fail, and show nothing that may be secret", async (_, script, message) => {
    await programs.program("docker-credential-test", script);
    const error = await failure((await loadFile(config)).lookup(app));
    expect(error).toBeInstanceOf(CredentialsError);
    expect(error.details).toMatch(message);
    const source = programs.path("config.json");
    expect(error.details).toMatch(/^docker-credential-test /);
    expect(error.details).toContain(`; ${source} names it for the credentials of registry.example`);
  });

  it("that are not installed fail", async () => {
    const error = await failure((await loadFile(config)).lookup(app));
    expect(error.details).toContain("docker-credential-test is not installed");
  });

  it("that are not executable fail", async () => {
    await writeFile(programs.path("docker-credential-test"), "");
    expect((await failure((await loadFile(config)).lookup(app))).details).toContain("is not executable by this user");
  });

  it("that hang are killed with their children at the time limit", async () => {
    await programs.program("docker-credential-test", `sleep 1000 & echo $! > ${programs.path("pid")}; wait`);
    const credentials = await loadFile(config, { helperTimeoutMs: 300 });
    const error = await failure(credentials.lookup(app));
    expect(error).toMatchObject({ code: "NO_CREDENTIALS" });
    expect(error.details).toContain("did not end within 0.3 s, and was killed");
    await expectDead();
  });

  it("are killed at the deadline of the lookup", async () => {
    await programs.program("docker-credential-test", "sleep 1000");
    const error = await failure((await loadFile(config)).lookup(app, { timeoutMs: 200 }));
    expect(error.code).toBe("DEADLINE_EXCEEDED");
    const earlier = await failure((await loadFile(config)).lookup(app, { deadline: new Date(Date.now() + 200) }));
    expect(earlier.code).toBe("DEADLINE_EXCEEDED");
  });

  it("are killed when the signal aborts, and the lookup rejects with its reason", async () => {
    await programs.program("docker-credential-test", `echo $$ > ${programs.path("pid")}; sleep 1000`);
    const abort = new AbortController();
    const lookup = (await loadFile(config)).lookup(app, { signal: abort.signal });
    await expect.poll(() => programs.calls()).toHaveLength(1);
    const reason = new Error("enough");
    abort.abort(reason);
    await expect(lookup).rejects.toBe(reason);
    await expectDead();
    await expect((await loadFile(config)).lookup(app, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  /** Expects that the process whose id is in the file `pid` ends. */
  async function expectDead(): Promise<void> {
    const pid = Number(await readFile(programs.path("pid"), "utf8").catch(() => "0"));
    if (pid === 0) return; // killed before it started
    const isAlive = () => {
      try {
        return process.kill(pid, 0);
      } catch {
        return false;
      }
    };
    await expect.poll(isAlive, { timeout: 5_000 }).toBe(false);
  }

  it("get few variables of the environment, and those that passEnv names", async () => {
    await programs.program("docker-credential-test", `env > ${programs.path("env")}; echo '{}'`);
    const auths = { "registry.example": entry("file") };
    const env = { ...programs.env, AWS_PROFILE: "team", NODE_OPTIONS: "--no-warnings", TOKEN: secret };
    const namesSeen = async (passEnv: string[]) => {
      await (await loadFile({ ...config, auths }, { env, passEnv })).lookup(app);
      const lines = (await readFile(programs.path("env"), "utf8")).split("\n");
      return lines.map((line) => line.split("=")[0]).filter((name) => !/^(PWD|SHLVL|_|OLDPWD|)$/.test(name ?? ""));
    };
    expect((await namesSeen([])).sort()).toEqual(["HOME", "PATH", "XDG_RUNTIME_DIR"]);
    expect(await namesSeen(["AWS_PROFILE"])).toContain("AWS_PROFILE");
  });

  it("are not looked up in relative directories of PATH", async () => {
    await programs.helper("test", "user", secret);
    const PATH = `.:bin:${programs.folder.slice(1)}:/usr/bin:/bin`;
    const error = await failure((await loadFile(config, { env: { PATH } })).lookup(app));
    expect(error.details).toContain("is not installed");
  });

  it("with another name than a program are refused", async () => {
    const credentials = await loadFile({ credHelpers: { "registry.example": "../malicious" } });
    expect((await failure(credentials.lookup(app))).details).toMatch(/may contain only letters, digits, _, - and \.$/);
  });

  it("in a pull secret are never run", async () => {
    await programs.helper("test", "user", secret);
    const content = JSON.stringify({ auths: { "other.example": entry("u") }, ...config });
    const type = "kubernetes.io/dockerconfigjson";
    const credentials = (await load()).withSecrets([{ type, stringData: { ".dockerconfigjson": content } }]);
    const error = await failure(credentials.lookup(app));
    expect(error.details).toContain("a helper program of secrets[0] has them, which is not run here");
    expect(await credentials.lookup("nginx")).toEqual([]);
    expect(await programs.calls()).toEqual([]);
  });
});

const v1 = "credentialprovider.kubelet.k8s.io/v1";
function providerConfig(provider: object): object {
  const defaults = { name: "plugin", matchImages: ["*.example"], defaultCacheDuration: "0s", apiVersion: v1 };
  return {
    apiVersion: "kubelet.config.k8s.io/v1",
    kind: "CredentialProviderConfig",
    providers: [{ ...defaults, ...provider }],
  };
}

describe("kubelet plugins", () => {
  const response = (changes: object = {}, apiVersion = v1) =>
    JSON.stringify({
      kind: "CredentialProviderResponse",
      apiVersion,
      cacheKeyType: "Registry",
      auth: { "registry.example": { username: "user", password: secret } },
      ...changes,
    });
  const loadPlugin = async (provider: object = {}, options: RegistryCredentialsOptions = {}) =>
    load({
      plugins: { config: await programs.json("providers.json", providerConfig(provider)), binDir: programs.folder },
      ...options,
    });
  const plugin = (output: string) => programs.program("plugin", `cat <<'END'\n${output}\nEND`);

  it("get a request with the image without its tag, and their arguments and variables", async () => {
    await programs.program("plugin", `echo "$REGION" >> ${programs.path("calls")}; echo '${response()}'`);
    const env = [{ name: "REGION", value: "north" }];
    const credentials = await loadPlugin({ args: ["get", "--all"], env });
    expect(await credentials.lookup(app)).toMatchObject([
      {
        source: "plugin plugin",
        key: "registry.example",
        auth: { username: "user", password: secret, serverAddress: "registry.example" },
      },
    ]);
    expect(await programs.calls()).toEqual([
      `plugin get --all {"apiVersion":"${v1}","kind":"CredentialProviderRequest","image":"registry.example/team/app"}`,
      "north",
    ]);
  });

  it("are run only for images that matchImages names", async () => {
    await plugin(response({ auth: null }));
    const credentials = await loadPlugin({ matchImages: ["registry.example/team", "*.test:5000", "docker.io"] });
    const isAsked = async (image: string) => {
      const before = (await programs.calls()).length;
      await credentials.lookup(image);
      return (await programs.calls()).length > before;
    };
    expect(await isAsked("registry.example/team/app")).toBe(true);
    expect(await isAsked("registry.example/team-a/app")).toBe(true); // a prefix, as in a kubelet
    expect(await isAsked("registry.example/app")).toBe(false);
    expect(await isAsked("a.test:5000/app")).toBe(true);
    expect(await isAsked("a.test/app")).toBe(false);
    expect(await isAsked("a.b.test:5000/app")).toBe(false);
    expect(await isAsked("nginx")).toBe(true);
  });

  test.each(["v1", "v1beta1", "v1alpha1"])("speak version %s", async (version) => {
    const apiVersion = `credentialprovider.kubelet.k8s.io/${version}`;
    await plugin(response({}, apiVersion));
    expect(await usersFor(await loadPlugin({ apiVersion }))).toEqual(["user for registry.example in plugin plugin"]);
  });

  it("may have no credentials, so that other sources are tried", async () => {
    await plugin(response({ auth: null }));
    expect(await usersFor(await loadPlugin())).toEqual([]);
    await plugin(response({ auth: { "registry.example": { username: "", password: "" } } }));
    expect(await usersFor(await loadPlugin())).toEqual([]);
  });

  it("that have credentials for other images only prevent a pull without credentials", async () => {
    await plugin(response({ cacheKeyType: "Global", cacheDuration: "1h" }));
    const credentials = await loadPlugin();
    for (const image of ["other.example/app", "kept.example/app"]) {
      const error = await failure(credentials.lookup(image));
      expect(error).toMatchObject({ code: "NO_CREDENTIALS", source: "plugin plugin" });
      expect(error.details).toContain("it returned only some for other images");
    }
    expect(await usersFor(credentials)).toHaveLength(1);
  });

  test.each<[cacheKeyType: string, cacheDuration: string | undefined, runs: number]>([
    ["Image", "1h", 3],
    ["Registry", "1h", 2],
    ["Global", "1h", 1],
    ["Global", "0s", 4],
    ["Global", undefined, 1],
  ])("keep a response for %s for %s", async (cacheKeyType, cacheDuration, runs) => {
    await plugin(response({ cacheKeyType, cacheDuration, auth: { "*.example": { username: "u", password: "p" } } }));
    const credentials = await loadPlugin({ defaultCacheDuration: "1h" });
    for (const image of ["a.example/app:1", "a.example/app:2", "a.example/other", "b.example/app"]) {
      expect(await credentials.lookup(image)).toHaveLength(1);
    }
    expect(await programs.calls()).toHaveLength(runs);
  });

  it("keep a response until it expires", async () => {
    await plugin(response({ cacheDuration: "50ms" }));
    const credentials = await loadPlugin();
    await credentials.lookup(app);
    await expect.poll(async () => (await credentials.lookup(app)) && (await programs.calls()).length).toBe(2);
  });

  test.each<[string, string, RegExp]>([
    ["rubbish", secret, /plugin printed something other than JSON; plugin plugin names it/],
    ["another kind", response({ kind: "Secret" }), /other than a CredentialProviderResponse/],
    ["another version", response({}, `${v1}alpha1`), /another apiVersion than credentialprovider.kubelet.k8s.io\/v1,/],
    ["no cacheKeyType", response({ cacheKeyType: undefined }), /a cacheKeyType other than Image, Registry and Global/],
    ["a malformed cacheDuration", response({ cacheDuration: "1 day" }), /a malformed cacheDuration/],
    ["a list as auth", response({ auth: [secret] }), /an auth that is not an object/],
    ["a string as entry", response({ auth: { a: secret } }), /an entry of auth that is not an object/],
    ["no password", response({ auth: { a: { username: "user" } } }), /an entry without password/],
    [
      "a number",
      response({ auth: { a: { username: 1, password: secret } } }),
      /a username or password that is not a str/,
    ],
  ])("that print %s fail, and show none of it", async (_, output, message) => {
    await plugin(output);
    const error = await failure((await loadPlugin()).lookup(app));
    expect(error).toMatchObject({ code: "NO_CREDENTIALS", registry: "registry.example", source: "plugin plugin" });
    expect(error.details).toMatch(message);
  });

  it("that fail or are missing prevent a pull without credentials", async () => {
    expect((await failure((await loadPlugin()).lookup(app))).details).toContain("is not installed");
    await programs.program("plugin", "echo 'no such role' >&2; exit 4");
    expect((await failure((await loadPlugin()).lookup(app))).details).toContain(
      "failed with exit code 4: no such role",
    );
    await programs.program("plugin", "sleep 1000");
    const credentials = await loadPlugin({}, { helperTimeoutMs: 200 });
    expect((await failure(credentials.lookup(app))).details).toContain("did not end within 0.2 s");
  });

  it("are configured by YAML, and by all files of a directory", async () => {
    await mkdir(programs.path("conf"));
    const yaml = (name: string) => `
apiVersion: kubelet.config.k8s.io/v1
kind: CredentialProviderConfig
providers:
  - name: ${name}
    matchImages: ["*.example"]
    defaultCacheDuration: 12h
    apiVersion: ${v1}
`;
    await writeFile(programs.path("conf/b.yml"), yaml("second"));
    await writeFile(programs.path("conf/a.yaml"), yaml("first"));
    await writeFile(programs.path("conf/README"), "not read");
    const plugins = { config: programs.path("conf"), binDir: programs.folder };
    expect((await load({ plugins })).sources.map(({ source }) => source)).toEqual(["plugin first", "plugin second"]);
    await writeFile(programs.path("conf/c.json"), JSON.stringify(providerConfig({ name: "first" })));
    const error = await failure(load({ plugins }));
    expect(error.details).toContain('config.providers: must not have two providers of one name, got "first"');
  });

  it("are configured by YAML with aliases, of which too many are refused", async () => {
    const yaml = (args: string) => JSON.stringify(providerConfig({ args: [] })).replace('"args":[]', `"args":${args}`);
    const config = programs.path("providers.yaml");
    const plugins = { config, binDir: programs.folder };
    await writeFile(config, yaml("[&a x, *a]"));
    await plugin(response());
    await (await load({ plugins })).lookup(app);
    expect((await programs.calls())[0]).toMatch(/^plugin x x /);
    await writeFile(config, yaml(`[&a x${", *a".repeat(200)}]`));
    expect((await failure(load({ plugins }))).details).toContain("config: has more than 100 aliases, or nests them");
  });

  it("with a configuration that does not exist or cannot be parsed are refused", async () => {
    const config = programs.path("providers.yaml");
    const plugins = { config, binDir: programs.folder };
    expect((await failure(load({ plugins }))).details).toBe(`${config}: does not exist`);
    await writeFile(config, `providers: [${secret}`);
    expect((await failure(load({ plugins }))).details).toMatch(
      /config: is neither YAML nor JSON \(\w+ at character \d+\)/,
    );
    expect((await failure(load({ plugins: { ...plugins, config: "relative.yaml" } }))).details).toMatch(
      /^plugins.config: must be an absolute path/,
    );
  });
});

test.each<[unknown, RegExp]>([
  [{ secret: [] }, /^secret: unknown option; did you mean secrets\?$/],
  [{ files: "a.json" }, /^files: must be an array/],
  [{ secrets: [{}] }, /^secrets\[0\].type: must be kubernetes.io\/dockerconfigjson or kubernetes.io\/dockercfg$/],
  [{ plugins: { config: "/a" } }, /^plugins.binDir: is required$/],
  [{ helperTimeoutMs: -1 }, /^helperTimeoutMs: must be a number of milliseconds/],
  [{ passEnv: [""] }, /^passEnv\[0\]: must not be empty/],
])("load refuses %o", async (options, message) => {
  expect((await failure(RegistryCredentials.load(options as never))).details).toMatch(message);
});

it("lookup refuses an invalid image", async () => {
  expect((await failure((await load()).lookup("https://x/y"))).details).toMatch(/^image: must not begin with a scheme/);
});
