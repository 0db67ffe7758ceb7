import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { keysFor } from "../../../../src/specs/credentials/config-key.js";
import { authFromDockerConfig } from "../../../../src/specs/credentials/docker-auth.js";
import { toAuthConfig } from "../../../../src/specs/credentials/registry-auth.js";
import { refusal } from "../refusal.js";

const encode = (pair: string) => Buffer.from(pair).toString("base64");
const hub = { auth: encode("hub:pw") };
const team = { auth: encode("team:pw") };
const whole = { auth: encode("whole:pw") };

describe("picks the entry of the image's registry", () => {
  test.each<[string, Record<string, object>, string, object | undefined]>([
    [
      "Docker Hub by its old URL",
      { "https://index.docker.io/v1/": hub },
      "nginx",
      { ...hub, serverAddress: "docker.io" },
    ],
    ["Docker Hub by name", { "docker.io": hub }, "team/app:1", { ...hub, serverAddress: "docker.io" }],
    ["a host", { "registry.example": whole }, "registry.example/app", { ...whole, serverAddress: "registry.example" }],
    [
      "a URL",
      { "https://registry.example/v2/": whole },
      "registry.example/app",
      { ...whole, serverAddress: "registry.example" },
    ],
    [
      "a port",
      { "registry.example:5000": whole },
      "registry.example:5000/app",
      { ...whole, serverAddress: "registry.example:5000" },
    ],
    ["not another port", { "registry.example": whole }, "registry.example:5000/app", undefined],
    ["not a longer name", { "registry.example": whole }, "registry.example.org/app", undefined],
    [
      "the most specific entry",
      { "registry.example": whole, "registry.example/team": team },
      "registry.example/team/app",
      { ...team, serverAddress: "registry.example" },
    ],
    [
      "no entry of another path",
      { "registry.example": whole, "registry.example/team": team },
      "registry.example/teams/app",
      { ...whole, serverAddress: "registry.example" },
    ],
    [
      "a host in another case",
      { "Registry.Example": whole },
      "registry.example/app",
      { ...whole, serverAddress: "registry.example" },
    ],
    [
      "the host of an image in another case",
      { "registry.example": whole },
      "Registry.Example/app",
      { ...whole, serverAddress: "Registry.Example" },
    ],
    [
      "the default port of the image",
      { "registry.example": whole },
      "registry.example:443/app",
      { ...whole, serverAddress: "registry.example:443" },
    ],
    [
      "the default port of the key",
      { "https://registry.example:443": whole },
      "registry.example/app",
      { ...whole, serverAddress: "registry.example" },
    ],
    [
      "the default port of HTTP",
      { "http://registry.example": whole },
      "registry.example:80/app",
      { ...whole, serverAddress: "registry.example:80" },
    ],
    ["not port 80 for HTTPS", { "registry.example": whole }, "registry.example:80/app", undefined],
    ["an IPv6 address", { "[::1]:5000": whole }, "[::1]:5000/app", { ...whole, serverAddress: "[::1]:5000" }],
    [
      "a path in a URL of the API",
      { "https://registry.example/v2/team/": team },
      "registry.example/team/app",
      { ...team, serverAddress: "registry.example" },
    ],
    ["not a path called v2 for the whole registry", { "registry.example/v2": team }, "registry.example/app", undefined],
    [
      "a path called v2",
      { "registry.example/v2": team },
      "registry.example/v2/app",
      { ...team, serverAddress: "registry.example" },
    ],
    [
      "the API without a scheme",
      { "registry.example/v2/": whole },
      "registry.example/app",
      { ...whole, serverAddress: "registry.example" },
    ],
    [
      "a path below the API without a scheme",
      { "registry.example/v2/team": team },
      "registry.example/team/app",
      { ...team, serverAddress: "registry.example" },
    ],
    ["a pattern", { "*.example": whole }, "registry.example/app", { ...whole, serverAddress: "registry.example" }],
    ["not a pattern for another name of Docker Hub", { "*.com": whole, "*.docker.io": whole }, "nginx", undefined],
    ["a pattern for Docker Hub", { "docker.*": hub }, "nginx", { ...hub, serverAddress: "docker.io" }],
    [
      "a pattern for the name of Docker Hub in the image",
      { "*.docker.io": hub },
      "registry-1.docker.io/team/app",
      { ...hub, serverAddress: "registry-1.docker.io" },
    ],
    ["not a pattern for fewer parts", { "*.example": whole }, "eu.registry.example/app", undefined],
    ["not a pattern for another port", { "*.example": whole }, "registry.example:5000/app", undefined],
    ["not a dot for any character", { "registry.example": whole }, "registryxexample.org/app", undefined],
    [
      "the host before a pattern with a path",
      { "*.example/team": team, "registry.example": whole },
      "registry.example/team/app",
      { ...whole, serverAddress: "registry.example" },
    ],
    [
      "the entry with credentials, of two for one host",
      { "https://registry.example": {}, "registry.example": whole },
      "registry.example/app",
      { ...whole, serverAddress: "registry.example" },
    ],
    [
      "a less specific entry, if the most specific is empty",
      { "registry.example/team": { auth: "" }, "registry.example": whole },
      "registry.example/team/app",
      { ...whole, serverAddress: "registry.example" },
    ],
    ["another name of Docker Hub", { "registry-1.docker.io": hub }, "nginx", { ...hub, serverAddress: "docker.io" }],
    [
      "Docker Hub by the name in the image",
      { "https://index.docker.io/v1/": hub },
      "registry-1.docker.io/team/app",
      { ...hub, serverAddress: "registry-1.docker.io" },
    ],
    ["nothing", {}, "nginx", undefined],
    ["an empty entry", { "docker.io": {} }, "nginx", undefined],
  ])("%s", (_, auths, image, expected) => {
    expect(authFromDockerConfig({ auths }, image)).toEqual(expected);
    expect(authFromDockerConfig(JSON.stringify({ auths }), image)).toEqual(expected);
    expect(authFromDockerConfig(auths, image), "the old format, .dockercfg").toEqual(expected);
  });
});

test.each<[object, object]>([
  [
    { username: "u", password: "hunter2" },
    { username: "u", password: "hunter2", serverAddress: "docker.io" },
  ],
  [
    { auth: encode("<token>:"), identitytoken: "hunter2" },
    { identityToken: "hunter2", serverAddress: "docker.io" },
  ],
  [{ registrytoken: "hunter2" }, { registryToken: "hunter2", serverAddress: "docker.io" }],
])("reads %o", (entry, expected) => {
  const auth = authFromDockerConfig({ auths: { "docker.io": entry } }, "nginx");
  expect(auth).toEqual(expected);
  expect(inspect(auth)).not.toContain("hunter2");
});

describe("an untrusted configuration", () => {
  // As a regular expression, the first of these patterns would take years to match.
  test.each<[string, string]>([
    ["many stars", "*".repeat(4_000)],
    ["stars and letters", `${"*a".repeat(2_000)}.example`],
    ["question marks", "?*".repeat(2_000)],
    ["parts", "*.".repeat(2_000)],
    ["slashes", `x${"/".repeat(4_000)}`],
    ["versions", `x${"/v1".repeat(1_300)}`],
    ["slashes after a scheme", `https://${"/".repeat(4_000)}v1/`],
  ])("takes bounded time for a key of %s", (_, key) => {
    const name = `${"a".repeat(60)}.${"a".repeat(60)}.test`;
    const auths = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`${key}${index}`, whole]));
    expect(authFromDockerConfig({ auths, credHelpers: auths }, `${name}/app`)).toBeUndefined();
  });

  it("takes bounded time for an image with a long host", () => {
    const key = `*${"a".repeat(2_000)}b.test`;
    const auths = Object.fromEntries(Array.from({ length: 480 }, (_, index) => [`${key}/${index}`, whole]));
    expect(authFromDockerConfig({ auths }, `${"a".repeat(4_000)}.test/app`)).toBeUndefined();
  });

  it("matches patterns only with labels of at most 63 characters, as in DNS", () => {
    const auths = { "*.test": whole };
    expect(authFromDockerConfig({ auths }, `${"a".repeat(63)}.test/app`)).toMatchObject(whole);
    expect(authFromDockerConfig({ auths }, `${"a".repeat(64)}.test/app`)).toBeUndefined();
  });

  const keyed = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`r${index}.example`, whole]));

  it("is accepted up to its limits", () => {
    expect(authFromDockerConfig({ auths: keyed(10_000) }, "r9999.example/app")).toMatchObject(whole);
    expect(authFromDockerConfig({ auths: { [`x.example/${"a".repeat(4_086)}`]: whole } }, "nginx")).toBeUndefined();
    expect(authFromDockerConfig("{}".padEnd(1024 * 1024), "nginx")).toBeUndefined();
  });

  it("is refused beyond its limits, with a short error message", () => {
    const refused = (config: string | object) => refusal(() => authFromDockerConfig(config, "nginx"));
    expect(refused("{}".padEnd(1024 * 1024 + 1))).toBe(
      "config: has 1048577 characters; at most 1048576 are read: pass only what the image needs",
    );
    expect(refused({ auths: keyed(10_001) })).toBe("config.auths: names 10001 registries; at most 10000 are searched");
    expect(refused({ credHelpers: keyed(10_001) })).toMatch(/^config.credHelpers: names 10001/);
    expect(refused({ auths: { ["/".repeat(300_000)]: whole } })).toBe(
      "config.auths: has a key of 300000 characters; the name of a registry has at most 4096",
    );
  });
});

test("a pattern matches the same as its regular expression", () => {
  const characters = (...of: string[]) => fc.string({ unit: fc.constantFrom(...of), minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(characters("a", "b", "*", "?", "."), characters("a", "b", "."), (pattern, host) => {
      const source = pattern.replaceAll(".", "\\.").replaceAll("*", "[^.]*").replaceAll("?", "[^.]");
      const isMatch = new RegExp(`^${source}$`).test(host);
      expect(keysFor(`${host}:5000/app`, [`${pattern}:5000`])).toEqual(isMatch ? [`${pattern}:5000`] : []);
    }),
    { numRuns: 2_000 },
  );
});

it("returns credentials that toAuthConfig accepts", () => {
  const auth = authFromDockerConfig({ auths: { "docker.io": hub } }, "nginx")!;
  expect(toAuthConfig(auth)).toMatchObject({
    username: "hub",
    password: "pw",
    serverAddress: "https://registry-1.docker.io",
  });
});

describe("credential helpers", () => {
  const app = "registry.example/app";
  test.each<[string, object, string]>([
    ["for the registry", { credHelpers: { "registry.example": "ecr-login" } }, "ecr-login"],
    ["for the registry, in another spelling", { credHelpers: { "https://Registry.Example": "gcloud" } }, "gcloud"],
    [
      "for the registry, which takes precedence over the entry",
      { credHelpers: { "registry.example": "ecr-login" }, auths: { "registry.example": whole } },
      "ecr-login",
    ],
    ["the store", { credsStore: "desktop" }, "desktop"],
    ["the store, with an empty entry", { credsStore: "desktop", auths: { "registry.example": {} } }, "desktop"],
    [
      "the store, with entries of other registries",
      { credsStore: "desktop", auths: { "other.example": whole } },
      "desktop",
    ],
    ["the store, in the old format", { credsStore: "pass", "registry.example": { email: "a@b" } }, "pass"],
  ])("are not run, but named in the error: %s", (_, config, helper) => {
    const message = refusal(() => authFromDockerConfig(config, app));
    expect(message).toMatch(/^config: the credentials for registry.example (are|may be) kept by docker-credential-/);
    expect(message).toContain(`run \`echo registry.example | docker-credential-${helper} get\``);
  });
  it.each(["x; touch /tmp/x", "x`id`", "../x", "a\nb"])("never recommends a command with %j in it", (name) => {
    const message = refusal(() => authFromDockerConfig({ credHelpers: { "registry.example": name } }, app));
    expect(message).toMatch(/^config.credHelpers.*: may contain only letters, digits, _, - and \.$/);
    expect(refusal(() => authFromDockerConfig({ credsStore: name }, app))).toMatch(/^config.credsStore: may contain/);
  });
  it("names the server of Docker Hub as helpers do", () => {
    const message = refusal(() => authFromDockerConfig({ credsStore: "desktop" }, "nginx"));
    expect(message).toContain("echo https://index.docker.io/v1/ | docker-credential-desktop get");
  });
  it("of other registries are ignored", () => {
    const config = { credHelpers: { "other.example": "x" }, auths: { "registry.example": whole } };
    expect(authFromDockerConfig(config, app)).toMatchObject(whole);
    expect(authFromDockerConfig(config, "nginx")).toBeUndefined();
  });
  it("are not needed if the entry has credentials", () => {
    const config = { credsStore: "desktop", auths: { "registry.example": whole } };
    expect(authFromDockerConfig(config, app)).toMatchObject(whole);
  });
  it("are disabled by an empty name", () => {
    const config = { credsStore: "desktop", credHelpers: { "registry.example": "" } };
    expect(authFromDockerConfig(config, app)).toBeUndefined();
  });
});

test.each<[unknown, RegExp]>([
  ['{ "auths": hunter2', /^config: is not JSON$/],
  ['"hunter2"', /^config: must be an object$/],
  [{ auths: "hunter2" }, /^config.auths: must be an object$/],
  [{ auths: { "docker.io": "hunter2" } }, /^config.auths\["docker.io"\]: must be an object$/],
  [{ auths: { "docker.io": { auth: ["hunter2"] } } }, /^config.auths\["docker.io"\].auth: must be a string$/],
  [{ auths: { "docker.io": { password: "hunter2" } } }, /^config.auths\["docker.io"\].username: is required together/],
  [{ auths: { "docker.io": { username: "hunter2" } } }, /^config.auths\["docker.io"\].password: is required together/],
  [{ "docker.io": "hunter2" }, /^config\["docker.io"\]: must be an object$/],
  [{ credHelpers: ["hunter2"] }, /^config.credHelpers: must be an object$/],
  [{ credHelpers: { "docker.io": {} } }, /^config.credHelpers\["docker.io"\]: must be a string$/],
  [{ credsStore: {} }, /^config.credsStore: must be a string$/],
  [{ kind: "Secret", data: { ".dockerconfigjson": "hunter2" } }, /^config: is a Kubernetes Secret: pass the decoded/],
  [{ ".dockercfg": "hunter2" }, /^config: is a Kubernetes Secret/],
])("refuses %o without showing it", (config, expected) => {
  const message = refusal(() => authFromDockerConfig(config as never, "nginx"));
  expect(message).toMatch(expected);
  expect(message).not.toContain("hunter2");
});
