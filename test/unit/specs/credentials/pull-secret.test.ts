import { describe, expect, it, test } from "vitest";
import { type PullSecret, readPullSecret } from "../../../../src/specs/credentials/pull-secret.js";
import { refusal } from "../refusal.js";

const encode = (text: string) => Buffer.from(text).toString("base64");
const auths = { "registry.example": { auth: encode("user:hunter2") } };
const json = JSON.stringify({ auths });
const type = "kubernetes.io/dockerconfigjson";
const old = "kubernetes.io/dockercfg";

const authsIn = (secret: PullSecret) => readPullSecret(secret, "secret").config.entriesFor("registry.example/app");

describe("reads", () => {
  test.each<[string, PullSecret]>([
    ["base64", { type, data: { ".dockerconfigjson": encode(json) } }],
    ["base64 with line breaks", { type, data: { ".dockerconfigjson": encode(json).replace(/.{20}/g, "$&\n") } }],
    ["text", { type, stringData: { ".dockerconfigjson": json } }],
    ["text before base64", { type, stringData: { ".dockerconfigjson": json }, data: { ".dockerconfigjson": "e30=" } }],
    ["the old type", { type: old, data: { ".dockercfg": encode(JSON.stringify(auths)) } }],
    [
      "a whole object of the API server",
      { kind: "Secret", apiVersion: "v1", immutable: true, type, data: { ".dockerconfigjson": encode(json) } } as never,
    ],
  ])("%s", (_, secret) => {
    expect(authsIn(secret)).toMatchObject([{ key: "registry.example", auth: { auth: encode("user:hunter2") } }]);
  });

  it("the name, for messages", () => {
    const secret = { type, data: { ".dockerconfigjson": encode(json) } };
    const named = (metadata: PullSecret["metadata"]) => readPullSecret({ ...secret, metadata }, "secrets[0]").name;
    expect(named({ name: "pull", namespace: "team" })).toBe("Secret team/pull");
    expect(named({ name: "pull" })).toBe("Secret pull");
    expect(named(undefined)).toBe("secrets[0]");
  });
});

test.each<[unknown, RegExp]>([
  [undefined, /^secret: must be a Secret, got undefined$/],
  ["hunter2", /^secret: must be a Secret, got a string$/],
  [{ kind: "ConfigMap", type }, /^secret.kind: must be Secret$/],
  [{ data: { ".dockerconfigjson": "hunter2" } }, /^secret.type: must be kubernetes.io\/dockerconfigjson or kubernetes/],
  [{ type: "Opaque" }, /^secret.type: must be/],
  [{ type }, /^secret.data\[".dockerconfigjson"\]: is required$/],
  [{ type, data: { ".dockercfg": "e30=" } }, /^secret.data\[".dockerconfigjson"\]: is required$/],
  [{ type: old, data: { ".dockerconfigjson": "e30=" } }, /^secret.data\[".dockercfg"\]: is required$/],
  [{ type, data: ["hunter2"] }, /^secret.data: must be an object of strings/],
  [{ type, data: { ".dockerconfigjson": { hunter2: 1 } } }, /\]: must be a string, got an object$/],
  [{ type, data: { ".dockerconfigjson": '{"hunter2":1}' } }, /must be base64; plain text belongs in stringData$/],
  [{ type, data: { ".dockerconfigjson": encode("hunter2") } }, /^secret.data\[".dockerconfigjson"\]: is not JSON$/],
  [
    { type, stringData: { ".dockerconfigjson": "{}" } },
    /^secret.stringData\[".dockerconfigjson"\].auths: is required$/,
  ],
  [{ type, stringData: { ".dockerconfigjson": '{"auths":"hunter2"}' } }, /\.auths: must be an object$/],
])("refuses %o without showing its data", (secret, message) => {
  const shown = refusal(() => readPullSecret(secret as PullSecret, "secret"));
  expect(shown).toMatch(message);
  expect(shown).not.toContain("hunter2");
});
