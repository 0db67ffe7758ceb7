import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  harmlessText,
  maxTextLength,
  REDACTED,
  redact,
  redactForLog,
  redactText,
} from "../../../src/internal/redact.js";
import { messageToGoJson } from "../../../src/json/go-json.js";
import { messageToJson } from "../../../src/json/message-json.js";
import {
  AuthConfig,
  ContainerConfig,
  ContainerStatus,
  ExecResponse,
  Long,
  PullImageRequest,
} from "../../../src/proto.js";

describe("redact", () => {
  test("hides every field that the schema marks debug_redact", () => {
    const schema = readFileSync("proto/runtime/v1/api.proto", "utf8");
    const marked = [...schema.matchAll(/^\s*\S+ (\w+) = \d+ \[[^\]]*debug_redact = true/gm)].map(([, name]) =>
      (name ?? "").replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
    );
    expect(marked.length).toBeGreaterThanOrEqual(4);
    for (const field of marked) {
      expect(redact({ [field]: "s3cret" }), field).toEqual({ [field]: REDACTED });
      expect(Object.keys(AuthConfig.create()), `${field} belongs to a message other than AuthConfig`).toContain(field);
    }
  });

  test("hides credentials inside a request, and keeps what is needed to understand it", () => {
    const request = PullImageRequest.create({
      image: { image: "registry/app:1" },
      auth: { username: "me", password: "s3cret", auth: "bWU6czNjcmV0", identityToken: "", registryToken: "tok3n" },
    });
    const text = JSON.stringify(redact(request));
    expect(text).not.toMatch(/s3cret|bWU6|tok3n/);
    expect(text).toContain("registry/app:1");
    expect(text).toContain('"username":"me"');
  });

  test("hides environment values but not their names, as message and as spec", () => {
    const config = ContainerConfig.create({ envs: [{ key: "TOKEN", value: new TextEncoder().encode("s3cret") }] });
    expect(redactForLog(config)).toMatchObject({ envs: [{ key: "TOKEN", value: REDACTED }] });
    expect(redact({ env: { TOKEN: "s3cret" } })).toEqual({ env: { TOKEN: REDACTED } });
    expect(redact({ env: [{ name: "TOKEN", value: "s3cret" }] })).toEqual({
      env: [{ name: "TOKEN", value: REDACTED }],
    });
    expect(redact({ process: { env: ["TOKEN=s3cret=", "s3cret"] } })).toEqual({
      process: { env: [`TOKEN=${REDACTED}`, REDACTED] },
    });
  });

  test("hides streaming URLs and bytes", () => {
    expect(redact(ExecResponse.create({ url: "http://127.0.0.1:1/exec/abcdefgh" }))).toEqual({ url: REDACTED });
    expect(redactForLog({ stdout: new Uint8Array(3) })).toEqual({ stdout: "[3 bytes]" });
  });

  test("keeps a message a message of its type", () => {
    const createdAt = Long.fromString("1700000000123456789");
    const status = ContainerStatus.fromPartial({ createdAt, user: { linux: { uid: 7 } } });
    expect(redact(status)).toEqual(status);
    const config = ContainerConfig.fromPartial({ envs: [{ key: "TOKEN", value: new TextEncoder().encode("s3cret") }] });
    const redacted = redact(config);
    expect(ContainerConfig.decode(ContainerConfig.encode(redacted).finish())).toEqual(redacted);
    expect(messageToGoJson(ContainerConfig, redacted)).toEqual({ envs: [{ key: "TOKEN", value: REDACTED }] });
    expect(messageToJson(ContainerStatus, redact(status))).toEqual(messageToJson(ContainerStatus, status));
  });

  test("hides secrets inside JSON text, however its keys are spelled, and leaves other JSON text alone", () => {
    const info = {
      config: { envs: [{ key: "TOKEN", value: "s3cret" }], image: { image: "busybox" } },
      runtimeSpec: { process: { env: ["TOKEN=s3cret"], Env: { TOKEN: "s3cret" } } },
      auth: { Password: "s3cret", identity_token: "s3cret" },
      nested: JSON.stringify({ spec: { containers: [{ env: [{ name: "TOKEN", value: "s3cret" }] }] } }),
    };
    const redacted = redact({ info: { info: JSON.stringify(info) } }).info.info;
    expect(redacted).not.toContain("s3cret");
    expect(JSON.parse(redacted)).toMatchObject({
      config: { envs: [{ key: "TOKEN", value: REDACTED }], image: { image: "busybox" } },
      runtimeSpec: { process: { env: [`TOKEN=${REDACTED}`] } },
    });
    const harmless = '{ "memory": 9223372036854771712 }';
    expect(redact({ harmless })).toEqual({ harmless });
  });

  test("hides what is nested too deeply in JSON text", () => {
    const text = `${"[".repeat(50_000)}"s3cret"${"]".repeat(50_000)}`;
    const redacted = redact({ text }).text;
    expect(redacted).toContain(REDACTED);
    expect(redacted).not.toContain("s3cret");
  });

  test("does not change what it is given", () => {
    const auth = { password: "s3cret" };
    redact(auth);
    expect(auth.password).toBe("s3cret");
  });
});

describe("redactText", () => {
  test.each([
    ["GET http://127.0.0.1:1/exec/Ab_9-xyz failed", "Ab_9-xyz"],
    ["http://h/cri/portforward/tok3n: 404", "tok3n"],
    ["Head https://me:s3cret@registry/v2/: 401", "s3cret"],
    ["Authorization: Bearer abcdef123456", "abcdef123456"],
    ["authorization: Basic bWU6czNjcmV0", "bWU6czNjcmV0"],
  ])("takes the secret out of %j", (text, secret) => {
    expect(redactText(text)).not.toContain(secret);
    expect(redactText(text)).toContain(REDACTED);
  });

  test("leaves ordinary text alone", () => {
    const text = 'container "abc" not found in https://registry/v2/ (exec failed: sh: not found)';
    expect(redactText(text)).toBe(text);
  });

  test.each([
    ["one word", "a"],
    ["one word after another", "a "],
    ["almost a URL", "a://"],
    ["almost a credential", "a:b"],
    ["almost a credential in a URL", "://a:b"],
    ["almost a token in a query", "?a-token"],
    ["almost a private key", "-----BEGIN PRIVATE KEY-----"],
    ["almost a JSON Web Token", "eyJ-"],
    ["schemes without an end", "://a"],
    ["paths of sessions", "/exec/"],
    ["almost a token", "Bearer "],
    ["nothing but blanks behind it", "Basic\t\t\t\t"],
  ])("takes no time over a long text: %s", (_name, piece) => {
    const text = piece.repeat(1_000_000 / piece.length);
    const startedAt = performance.now();
    redactText(text);
    // A pattern that begins anew at each letter would take an hour.
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });
});

describe("harmlessText", () => {
  test("has no secrets", () => {
    expect(harmlessText("no session at http://127.0.0.1:1/exec/tok3n")).not.toContain("tok3n");
  });

  test("moves no cursor and turns no text around, and has its letters still", () => {
    expect(harmlessText("\u001b[2Jred\u0007\tgrüße ✓ 🚀\u009b1A\u202egpj.exe\u2028\u0000")).toBe(
      " [2Jred \tgrüße ✓ 🚀 1A gpj.exe  ",
    );
  });

  test("is one line: nobody forges a second record in a log", () => {
    expect(harmlessText("one\ntwo\r\nthree\rfour\u2029five")).toBe("one\\ntwo\\nthree four five");
  });

  test("is not longer than anybody reads, and half a secret is none", () => {
    const text = harmlessText(
      `${"x".repeat(maxTextLength - 20)} https://me:${"s3cret".repeat(10)}@host/${"y".repeat(100)}`,
    );
    expect(text).not.toContain("s3cret");
    expect(text).toMatch(/… \(\d+ more characters\)$/);
    expect(text.length).toBeLessThan(maxTextLength + 50);
    expect(harmlessText("z".repeat(maxTextLength))).toHaveLength(maxTextLength);
  });
});
