/** Checks that `redact` shows no secret at any position in messages, files, blobs and strings. */
import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../../../src/errors.js";
import { type MessageType, shapeOf } from "../../../src/internal/message-shape.js";
import { REDACTED, redact, redactForLog } from "../../../src/internal/redact.js";
import { messageFromGoJson } from "../../../src/json/go-json.js";
import { messageFromJson } from "../../../src/json/message-json.js";
import { ContainerConfig, PullImageRequest } from "../../../src/proto.js";
import { anyMessage, messageTypes } from "../json/any-message.js";

/** The secret. */
const canary = "c4n4ryc4n4ryc4n4ry";
const pem = `-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n${canary}\n-----END EC PRIVATE KEY-----\n`;

/** Returns every form in which a redacted value is shown. */
function shown(value: unknown): string {
  return [redact(value), redactForLog(value)]
    .map((copy) => inspect(copy, { depth: Number.POSITIVE_INFINITY, maxStringLength: Number.POSITIVE_INFINITY }))
    .join();
}

/** Strings that quote a secret. */
const quotations: readonly string[] = [
  `failed to authorize: https://me:${canary}@registry.example/v2/: 401`,
  `https://me:p@ss/${canary}@registry.example/v2/`,
  `GET https://registry.example/v2/?service=a&access_token=${canary}&x=1: 500`,
  `https://bucket.example/blob?X-Amz-Credential=${canary}&X-Amz-Signature=${canary}#end`,
  `http://127.0.0.1:10010/exec/${canary}`,
  `Authorization: Bearer ${canary}`,
  `jwt eyJhbGciOiJub25lIn0.${canary}.${canary} is expired`,
  `&AuthConfig{Username:me,Password:${canary},Auth:${canary},IdentityToken:${canary},RegistryToken:${canary},}`,
  `login --password=${canary} --registry-token ${canary}`.replace(` ${canary}`, `=${canary}`),
  `{"auths": {"registry.example": {"password": "${canary}"`,
  `config "{\\"password\\":\\"${canary}\\"}" is not valid`,
  `PASSWORD='horse ${canary}'`,
  `password: "horse ${canary}"`,
  pem,
  JSON.stringify({ key: pem }),
  JSON.stringify({
    auths: { "https://registry.example": { auth: canary, identitytoken: canary } },
    HttpHeaders: { "X-Registry-Auth": canary },
  }),
  JSON.stringify({
    config: { envs: [{ key: "A", value: canary }] },
    runtimeSpec: { process: { env: [`A=${canary}`] } },
  }),
  JSON.stringify({ Config: { Env: [`A=${canary}`, `B=x\n${canary}`], env: `A=${canary}\nB=${canary}` } }),
  JSON.stringify(
    JSON.stringify({ nested: JSON.stringify([{ Password: [canary], secretKey: { deep: { er: canary } } }]) }),
  ),
  JSON.stringify({ kind: "Secret", data: { "tls.key": canary }, stringData: { a: { b: canary } } }),
];

/** Replaces every string of a message. */
function withStrings(value: unknown, text: string): unknown {
  if (typeof value === "string") return text;
  if (typeof value !== "object" || value === null || value instanceof Uint8Array || "__isLong__" in value) return value;
  if (Array.isArray(value)) return value.map((item) => withStrings(item, text));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withStrings(item, text)]));
}

describe("messages", () => {
  test.each(messageTypes)("%s shows no secret that one of its strings quotes", (_, type) => {
    const bytes = fc.constant(Buffer.from(canary));
    fc.assert(
      fc.property(anyMessage(shapeOf(type), bytes), fc.constantFrom(...quotations), (message, quotation) => {
        expect(shown(withStrings(message, quotation))).not.toContain(canary);
      }),
      { numRuns: 10 },
    );
  });

  test("only marked fields, environments and streaming URLs are redacted", () => {
    const hidden = new Set<string>();
    for (const [, type] of messageTypes) {
      for (const [key, { kind }] of shapeOf(type).fields) {
        if (kind === "string" && (redact({ [key]: "open" }) as Record<string, unknown>)[key] !== "open")
          hidden.add(key);
      }
    }
    expect([...hidden].sort()).toEqual(["auth", "identityToken", "password", "registryToken", "url"]);
  });
});

/** Environments and credentials in the forms of other tools, which CRI's JSON refuses. */
const wrongShapes: readonly (readonly [type: MessageType<unknown>, json: unknown])[] = [
  ...[
    `A=${canary}`,
    [`A=${canary}`],
    [canary],
    { A: canary },
    [{ A: canary }],
    [{ [`A=${canary}`]: "" }],
    [["A", canary]],
    [{ key: "A", value: { secretKeyRef: canary } }],
    [{ key: "A", value: [canary] }],
    [{ key: "A", value: `${canary}!` }, 1],
  ].map((envs) => [ContainerConfig, { envs }] as const),
  ...[`me:${canary}`, [canary], { password: [canary] }, { password: { of: canary } }, { secret: canary }, true].map(
    (auth) => [PullImageRequest, { image: { image: "x" }, auth }] as const,
  ),
  [PullImageRequest, { auth: { registry_token: canary }, image: 7 }],
  [ContainerConfig, `{"envs":[{"key":"A","value":"${canary}"}]`],
  [ContainerConfig, `{"envs":["A=${canary}"]}`],
];

describe("errors of readers", () => {
  test.each([
    ["messageFromJson", messageFromJson],
    ["messageFromGoJson", messageFromGoJson],
  ])("%s refuses a misplaced secret without showing it", (_, read) => {
    for (const [type, json] of wrongShapes) {
      const error = caught(() => read(type, json));
      expect(error, inspect(json)).toBeInstanceOf(InvalidInputError);
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(canary);
    }
  });
});

function caught(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** Names of secrets in several spellings. */
const secretNames = fc
  .constantFrom(
    ["password"],
    ["identity", "token"],
    ["registry", "token"],
    ["client", "secret"],
    ["aws", "secret", "access", "key"],
    ["api", "key"],
    ["api", "keys"],
    ["passwords"],
    ["access", "tokens"],
    ["client", "key", "data"],
    ["account", "key"],
    ["private", "key"],
    ["x", "registry", "auth"],
    ["proxy", "authorization"],
    ["set", "cookie"],
    ["git", "credentials"],
    [".dockerconfigjson"],
  )
  .chain((words) =>
    fc.constantFrom(
      words.join("_"),
      words.join("-").toUpperCase(),
      words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join(""),
    ),
  );

/** Values in which all strings are secret. */
const secret = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom<unknown>(canary, Buffer.from(canary), new URL(`https://${canary}.example/`)),
    fc.array(tie("any"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom("a", "value", "auth", "config", "env"), tie("any"), { maxKeys: 3 }),
  ),
})).any;

const environment = fc.constantFrom<unknown>(
  [`A=${canary}`, canary],
  [{ name: "A", value: canary }],
  [{ key: "A", value: Buffer.from(canary) }],
  [["A", canary]],
  `A=${canary}\nB=${canary}`,
  { A: canary, B: { c: canary } },
);

/** Values that contain secrets under the names in `secretNames`. */
const file = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<unknown>("open", 1, true, null, ...quotations),
    fc.array(tie("any"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom("auths", "spec", "config", "https://registry.example", "__proto__"), tie("any"), {
      maxKeys: 3,
    }),
    fc.tuple(secretNames, secret).map(([name, value]) => ({ username: "open", [name]: value })),
    fc
      .tuple(fc.constantFrom("env", "Env", "envs", "environment"), environment)
      .map(([name, value]) => ({ [name]: value })),
  ),
})).any;

describe("files and blobs", () => {
  test("show no value under the name of a secret, in any spelling", () => {
    fc.assert(
      fc.property(file, (value) => {
        expect(shown(value)).not.toContain(canary);
        expect(shown(JSON.stringify(value))).not.toContain(canary);
      }),
      { numRuns: 500 },
    );
  });

  test("that are cyclic are copied as cyclic objects", () => {
    const message: Record<string, unknown> = { name: "web", password: canary };
    message.self = message;
    message.token = { message, list: [message] };
    const copy = redact(message);
    expect(copy.self).toBe(copy);
    expect(copy).not.toBe(message);
    expect(shown(message)).not.toContain(canary);
    expect(inspect(copy)).toContain("web");
  });

  test("are redacted where they are nested too deeply", () => {
    let nested: unknown = canary;
    for (let depth = 0; depth < 100_000; depth++) nested = { a: nested };
    expect(inspect(redact(nested), { depth: 500 })).toContain(REDACTED);
  });

  test("keep the names and owners of secrets", () => {
    const pod = {
      automountServiceAccountToken: false,
      imagePullSecrets: [{ name: "pull" }],
      volumes: [{ name: "certs", secret: { secretName: "web-tls" } }],
      env: [{ name: "TOKEN", valueFrom: { secretKeyRef: { name: "app", key: "token" } } }],
      auth: { username: "me", serverAddress: "registry.example", password: canary },
      image: "registry.example:5000/app@sha256:0123456789abcdef",
    };
    expect(redact(pod)).toEqual({ ...pod, auth: { ...pod.auth, password: REDACTED } });
  });

  test("have no credentials in keys", () => {
    expect(redact({ auths: { [`https://me:${canary}@registry.example`]: {} } })).toEqual({
      auths: { [`https://${REDACTED}@registry.example`]: {} },
    });
  });
});
