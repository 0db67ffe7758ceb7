import { inspect } from "node:util";
import { describe, expect, it, test } from "vitest";
import { authFromDockerConfig } from "../../../src/specs/docker-auth.js";
import { toAuthConfig } from "../../../src/specs/registry-auth.js";
import { refusal } from "./refusal.js";

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
      "the most specific",
      { "registry.example": whole, "registry.example/team": team },
      "registry.example/team/app",
      { ...team, serverAddress: "registry.example" },
    ],
    [
      "no neighbour",
      { "registry.example": whole, "registry.example/team": team },
      "registry.example/teams/app",
      { ...whole, serverAddress: "registry.example" },
    ],
    ["nothing", {}, "nginx", undefined],
    ["an empty entry", { "docker.io": {} }, "nginx", undefined],
  ])("%s", (_, auths, image, expected) => {
    expect(authFromDockerConfig({ auths }, image)).toEqual(expected);
    expect(authFromDockerConfig(JSON.stringify({ auths }), image)).toEqual(expected);
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

it("gives what toAuthConfig takes", () => {
  const auth = authFromDockerConfig({ auths: { "docker.io": hub } }, "nginx")!;
  expect(toAuthConfig(auth)).toMatchObject({ auth: hub.auth, serverAddress: "https://registry-1.docker.io" });
});

describe("credential helpers", () => {
  test.each<[string, object]>([
    ["one for the registry", { credHelpers: { "registry.example": "ecr-login" } }],
    ["the store, with an entry that says so", { credsStore: "desktop", auths: { "registry.example": {} } }],
  ])("%s: says that it does not run them", (_, config) => {
    expect(refusal(() => authFromDockerConfig(config, "registry.example/app"))).toMatch(
      /credentials for registry.example are kept by docker-credential-(ecr-login|desktop)/,
    );
  });
  it("of others are no matter", () => {
    const config = {
      credsStore: "desktop",
      credHelpers: { "other.example": "x" },
      auths: { "registry.example": whole },
    };
    expect(authFromDockerConfig(config, "registry.example/app")).toMatchObject(whole);
    expect(authFromDockerConfig(config, "nginx")).toBeUndefined();
  });
});

test.each<[unknown, RegExp]>([
  ['{ "auths": hunter2', /^config: is not JSON$/],
  ['"hunter2"', /^config: must be an object$/],
  [{ auths: "hunter2" }, /^config.auths: must be an object$/],
  [{ auths: { "docker.io": "hunter2" } }, /^config.auths\["docker.io"\]: must be an object$/],
  [{ auths: { "docker.io": { auth: ["hunter2"] } } }, /^config.auths\["docker.io"\].auth: must be a string$/],
])("refuses %o without showing it", (config, expected) => {
  const said = refusal(() => authFromDockerConfig(config as never, "nginx"));
  expect(said).toMatch(expected);
  expect(said).not.toContain("hunter2");
});
