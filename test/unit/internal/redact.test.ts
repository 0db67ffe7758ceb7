import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  maxSanitizedLength,
  REDACTED,
  redact,
  redactForLog,
  redactString,
  sanitize,
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

  test("hides credentials inside a request, and keeps the other fields", () => {
    const request = PullImageRequest.create({
      image: { image: "registry/app:1" },
      auth: { username: "me", password: "s3cret", auth: "bWU6czNjcmV0", identityToken: "", registryToken: "tok3n" },
    });
    const text = JSON.stringify(redact(request));
    expect(text).not.toMatch(/s3cret|bWU6|tok3n/);
    expect(text).toContain("registry/app:1");
    expect(text).toContain('"username":"me"');
  });

  test("hides the values of environment variables but not their names, in messages and specs", () => {
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

  test("returns a message of the same type", () => {
    const createdAt = Long.fromString("1700000000123456789");
    const status = ContainerStatus.fromPartial({ createdAt, user: { linux: { uid: 7 } } });
    expect(redact(status)).toEqual(status);
    const config = ContainerConfig.fromPartial({ envs: [{ key: "TOKEN", value: new TextEncoder().encode("s3cret") }] });
    const redacted = redact(config);
    expect(ContainerConfig.decode(ContainerConfig.encode(redacted).finish())).toEqual(redacted);
    expect(messageToGoJson(ContainerConfig, redacted)).toEqual({ envs: [{ key: "TOKEN", value: REDACTED }] });
    expect(messageToJson(ContainerStatus, redact(status))).toEqual(messageToJson(ContainerStatus, status));
  });

  test("hides secrets inside JSON text in any spelling of its keys, and does not change other JSON text", () => {
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

  test("hides JSON text that is nested too deeply", () => {
    const text = `${"[".repeat(50_000)}"s3cret"${"]".repeat(50_000)}`;
    const redacted = redact({ text }).text;
    expect(redacted).toContain(REDACTED);
    expect(redacted).not.toContain("s3cret");
  });

  test("does not change its argument", () => {
    const auth = { password: "s3cret" };
    redact(auth);
    expect(auth.password).toBe("s3cret");
  });
});

describe("redactString", () => {
  test.each([
    ["GET http://127.0.0.1:1/exec/Ab_9-xyz failed", "Ab_9-xyz"],
    ["http://h/cri/portforward/tok3n: 404", "tok3n"],
    ["Head https://me:s3cret@registry/v2/: 401", "s3cret"],
    ["Authorization: Bearer abcdef123456", "abcdef123456"],
    ["authorization: Basic bWU6czNjcmV0", "bWU6czNjcmV0"],
  ])("removes the secret from %j", (text, secret) => {
    expect(redactString(text)).not.toContain(secret);
    expect(redactString(text)).toContain(REDACTED);
  });

  test("does not change a string without secrets", () => {
    const text = 'container "abc" not found in https://registry/v2/ (exec failed: sh: not found)';
    expect(redactString(text)).toBe(text);
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
    ["endless schemes", "://a"],
    ["paths of sessions", "/exec/"],
    ["almost a token", "Bearer "],
    ["only white space after a scheme", "Basic\t\t\t\t"],
  ])("takes little time for a long string: %s", (_name, piece) => {
    const text = piece.repeat(1_000_000 / piece.length);
    const startedAt = performance.now();
    redactString(text);
    // A pattern that starts over at each character would take an hour.
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });
});

describe("sanitize", () => {
  test("removes secrets", () => {
    expect(sanitize("no session at http://127.0.0.1:1/exec/tok3n")).not.toContain("tok3n");
  });

  test("removes control characters that move the cursor or change the writing direction, and keeps letters", () => {
    expect(sanitize("\u001b[2Jred\u0007\tgrüße ✓ 🚀\u009b1A\u202egpj.exe\u2028\u0000")).toBe(
      " [2Jred \tgrüße ✓ 🚀 1A gpj.exe  ",
    );
  });

  test("returns one line, which cannot forge a second log record", () => {
    expect(sanitize("one\ntwo\r\nthree\rfour\u2029five")).toBe("one\\ntwo\\nthree four five");
  });

  test("shortens long strings without showing half a secret", () => {
    const text = sanitize(
      `${"x".repeat(maxSanitizedLength - 20)} https://me:${"s3cret".repeat(10)}@host/${"y".repeat(100)}`,
    );
    expect(text).not.toContain("s3cret");
    expect(text).toMatch(/… \(\d+ more characters\)$/);
    expect(text.length).toBeLessThan(maxSanitizedLength + 50);
    expect(sanitize("z".repeat(maxSanitizedLength))).toHaveLength(maxSanitizedLength);
  });
});
