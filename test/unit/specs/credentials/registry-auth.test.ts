import { inspect } from "node:util";
import { describe, expect, it, test } from "vitest";
import { AuthConfig } from "../../../../src/proto.js";
import { type RegistryAuth, toAuthConfig } from "../../../../src/specs/credentials/registry-auth.js";
import { splitReference } from "../../../../src/specs/image-ref.js";
import { refusal } from "../refusal.js";

const secret = "hunter2";
/** Without padding, which some tools omit. */
const encode = (pair: string) => Buffer.from(pair).toString("base64").replace(/=+$/, "");
const encoded = Buffer.from(`user:${secret}`).toString("base64");

test.each<[string, RegistryAuth, object]>([
  ["password", { username: "user", password: secret }, { username: "user", password: secret }],
  ["encoded is decoded, because cri-dockerd ignores it", { auth: encoded }, { username: "user", password: secret }],
  ["encoded without padding", { auth: encode("u:pa") }, { username: "u", password: "pa" }],
  [
    "encoded with line breaks, as base64(1) writes it",
    { auth: `${encoded}\n` },
    { username: "user", password: secret },
  ],
  ["colons in the password", { auth: encode("u:p:q:") }, { username: "u", password: "p:q:" }],
  ["an empty password", { auth: encode("u:") }, { username: "u" }],
  ["NULs are dropped, as in Docker", { auth: encode("u:pw\0\0") }, { username: "u", password: "pw" }],
  ["letters beyond ASCII", { auth: encode("ü:ß") }, { username: "ü", password: "ß" }],
  ["identity token", { identityToken: secret }, { identityToken: secret }],
  ["registry token", { registryToken: secret }, { registryToken: secret }],
  ["empty strings are not set", { auth: encoded, username: "" } as never, { username: "user", password: secret }],
])("%s", (_, auth, expected) => {
  expect(AuthConfig.toJSON(toAuthConfig(auth))).toEqual(expected);
});

describe("server address", () => {
  test.each([
    ["", ""],
    ["registry.example", "https://registry.example"],
    ["registry.example:5000", "https://registry.example:5000"],
    ["registry.example:443", "https://registry.example:443"],
    ["https://registry.example/v2/", "https://registry.example"],
    ["HTTP://registry.example:80", "http://registry.example:80"],
    ["docker.io", "https://registry-1.docker.io"],
    ["https://index.docker.io/v1/", "https://registry-1.docker.io"],
    ["[::1]:5000", "https://[::1]:5000"],
  ])("%s → %s", (serverAddress, expected) => {
    expect(toAuthConfig({ auth: encoded, serverAddress }).serverAddress).toBe(expected);
  });
  test.each([
    ["registry.example", "Registry.Example/app", "https://Registry.Example"],
    ["REGISTRY.example:443", "registry.example/app", "https://registry.example"],
    ["https://registry.example/v2/", "registry.example:443/app", "https://registry.example:443"],
    ["http://registry.example:80", "registry.example/app", "http://registry.example"],
    ["registry.example:5000", "registry.example/app", "https://registry.example:5000"],
    ["mirror.example", "registry.example/app", "https://mirror.example"],
  ])("%s for %s → %s, as containerd compares it", (serverAddress, image, expected) => {
    const { registry } = splitReference(image);
    expect(toAuthConfig({ auth: encoded, serverAddress }, "auth", registry).serverAddress).toBe(expected);
  });
  it("is omitted if not set", () => {
    expect(toAuthConfig({ auth: encoded }).serverAddress).toBe("");
  });
});

it("hides secrets from inspect", () => {
  const auth = toAuthConfig({ username: "user", password: secret, serverAddress: "registry.example" });
  expect(inspect(auth)).not.toContain(secret);
  expect(inspect({ nested: [auth] }, { depth: 9 })).not.toContain(secret);
  expect(inspect(auth)).toContain("registry.example");
  expect(auth.password).toBe(secret);
  expect(AuthConfig.decode(AuthConfig.encode(auth).finish()).password).toBe(secret);
});

test.each<[unknown, RegExp]>([
  [`user:${secret}`, /^auth: must be an object, got a string$/],
  [{}, /^auth: must have exactly one of/],
  [{ auth: encoded, identityToken: secret }, /^auth: must have exactly one of/],
  [{ username: "user", password: secret, auth: encoded }, /exactly one/],
  [{ username: "user" }, /^auth.password: is required together with username/],
  [{ password: secret }, /^auth.username: is required together with password/],
  [{ auth: `user:${secret}` }, /^auth.auth: must be base64 of username:password$/],
  [{ auth: Buffer.from(secret).toString("base64") }, /^auth.auth: must be base64/],
  [{ auth: encode(`:${secret}`) }, /^auth.auth: must be base64/],
  [{ auth: `${encoded}A` }, /^auth.auth: must be base64/],
  [{ auth: Buffer.from([97, 58, 0xff]).toString("base64") }, /^auth.auth: must be base64 of a UTF-8 string$/],
  [{ password: { secret } }, /^auth.password: must be a string, got an object/],
  [{ passwd: secret }, /^auth.passwd: unknown field; did you mean password\?/],
  [{ auth: encoded, serverAddress: `https://user:${secret}@registry.example` }, /^auth.serverAddress: must be a host/],
  [{ auth: encoded, serverAddress: "ftp://x" }, /^auth.serverAddress: must be a host/],
  [{ auth: encoded, serverAddress: 5 }, /^auth.serverAddress: must be a string, got a number/],
])("refuses %o without showing secrets", (auth, expected) => {
  const message = refusal(() => toAuthConfig(auth as never));
  expect(message).toMatch(expected);
  expect(message).not.toContain(secret);
  expect(message).not.toContain(encoded);
});
