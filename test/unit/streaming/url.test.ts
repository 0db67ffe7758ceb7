import { networkInterfaces } from "node:os";
import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CriError, InvalidInputError, InvalidResponseError } from "../../../src/errors.js";
import type { StreamKind } from "../../../src/options.js";
import { resolveStreamUrls } from "../../../src/streaming/url.js";

const token = "s3cr3tT0";
const unix = { endpointHost: undefined, mustBeSecure: false, kind: "exec" } as const;
const remote = { endpointHost: "node1.example", mustBeSecure: false, kind: "exec" } as const;
/** The URLs to dial, in their order. */
const resolve = (raw: string, context: Parameters<typeof resolveStreamUrls>[1] = unix) =>
  resolveStreamUrls(raw, context).join(" ");

function refusal(raw: string, context: Parameters<typeof resolveStreamUrls>[1] = unix): CriError {
  try {
    resolveStreamUrls(raw, context);
  } catch (error) {
    expect(error).toBeInstanceOf(CriError);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(token);
    return error as CriError;
  }
  throw new Error("was accepted");
}

describe("URLs that runtimes send over a unix socket", () => {
  test.each([
    ["containerd", `http://127.0.0.1:41234/exec/${token}`, `http://127.0.0.1:41234/exec/${token}`],
    ["CRI-O with TLS", `https://127.0.0.1:41234/exec/${token}`, `https://127.0.0.1:41234/exec/${token}`],
    [
      "cri-dockerd",
      `//[::]:33431/cri/exec/${token}`,
      `http://[::1]:33431/cri/exec/${token} http://127.0.0.1:33431/cri/exec/${token}`,
    ],
    ["IPv4 wildcard", `http://0.0.0.0:1/exec/${token}`, `http://127.0.0.1:1/exec/${token}`],
    ["short spelling of the wildcard", `http://0:1/exec/${token}`, `http://127.0.0.1:1/exec/${token}`],
    ["no host", `http://:1/exec/${token}`, `http://127.0.0.1:1/exec/${token} http://[::1]:1/exec/${token}`],
    ["no host and no scheme", `//:1/exec/${token}`, `http://127.0.0.1:1/exec/${token} http://[::1]:1/exec/${token}`],
    ["address only", `127.0.0.1:1/exec/${token}`, `http://127.0.0.1:1/exec/${token}`],
    ["name only", `localhost:1/exec/${token}`, `http://localhost:1/exec/${token}`],
    ["port only", `:1/exec/${token}`, `http://127.0.0.1:1/exec/${token} http://[::1]:1/exec/${token}`],
    ["bracketed address only", `[::1]:1/exec/${token}`, `http://[::1]:1/exec/${token}`],
    ["IPv6 loopback", `http://[::1]:1/exec/${token}`, `http://[::1]:1/exec/${token}`],
    ["all of 127/8", `http://127.8.9.1:1/exec/${token}`, `http://127.8.9.1:1/exec/${token}`],
    ["upper case", `HTTP://LOCALHOST:1/exec/${token}`, `http://localhost:1/exec/${token}`],
    ["a fragment", `http://localhost:1/exec/${token}#x`, `http://localhost:1/exec/${token}`],
    ["a query", `http://localhost:1/exec?token=${token}`, `http://localhost:1/exec?token=${token}`],
  ])("%s", (_, raw, href) => {
    expect(resolve(raw)).toBe(href);
  });

  test("accepts every address of this machine", () => {
    for (const { address, family } of Object.values(networkInterfaces()).flatMap((list) => list ?? [])) {
      const host = family === "IPv6" ? `[${address}]` : address;
      expect(new URL(resolve(`http://${host}:1/exec/${token}`)).port).toBe("1");
    }
  });
});

describe("malicious URLs", () => {
  test.each([
    [
      "another host",
      `http://attacker.example/exec/${token}`,
      /leads to attacker\.example, which is not an address of this/,
    ],
    ["another address", `http://192.0.2.1:80/exec/${token}`, /leads to 192\.0\.2\.1/],
    ["a number", `http://3221225985/exec/${token}`, /leads to 192\.0\.2\.1/],
    ["another IPv6 address", `http://[2001:db8::1]:80/exec/${token}`, /leads to 2001:db8::1/],
    ["mapped", `http://[::ffff:192.0.2.1]:80/exec/${token}`, /leads to ::ffff:c000:201/],
    ["a name below localhost", `http://x.localhost:1/exec/${token}`, /leads to x\.localhost/],
    ["a file", `file:///etc/${token}`, /scheme file/],
    ["a script", `javascript:alert("${token}")`, /scheme javascript/],
    ["data", `data:text/plain,${token}`, /scheme data/],
    ["a socket", `unix:///run/${token}`, /scheme unix/],
    ["a WebSocket scheme", `ws://127.0.0.1:1/exec/${token}`, /scheme ws/],
    ["user", `http://127.0.0.1@attacker.example/exec/${token}`, /user name/],
    ["user and password", `http://u:${token}@127.0.0.1/exec/x`, /user name/],
    ["backslash", `http://127.0.0.1\\@attacker.example/exec/${token}`, /characters/],
    ["line break", `http://127.0.0.1/exec/${token}\r\nx: y`, /characters/],
    ["a space in front", ` http://127.0.0.1/exec/${token}`, /characters/],
    ["not a URL", token, /is not a URL/],
    ["a path", `/exec/${token}`, /is not a URL/],
    ["nothing", "", /is not a URL/],
    ["a port too high", `http://127.0.0.1:99999/exec/${token}`, /cannot be parsed/],
    ["broken brackets", `http://[::1/exec/${token}`, /cannot be parsed/],
  ])("%s", (_, raw, message) => {
    const error = refusal(raw);
    expect(error).toBeInstanceOf(InvalidResponseError);
    expect(error.message).toMatch(message);
    expect(error.message).toContain("RuntimeService/Exec");
  });

  test("any string gives a URL to this machine or an error", () => {
    const part = fc.constantFrom(
      "http:",
      "https:",
      "//",
      "/",
      "@",
      ":",
      "127.0.0.1",
      "attacker.example",
      "[::]",
      "[",
      "]",
      "#",
      "?",
      "80",
      "%",
      "x",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(part).map((parts) => parts.join("")),
          fc.webUrl(),
        ),
        (raw) => {
          let url: URL;
          try {
            [url] = resolveStreamUrls(raw, unix);
          } catch (error) {
            expect(error).toBeInstanceOf(InvalidResponseError);
            return;
          }
          expect(url.hostname).toMatch(/^(127\..*|localhost|\[::1\]|\d+\.\d+\.\d+\.\d+)$/);
          expect(url.username + url.password + url.hash).toBe("");
          expect(url.protocol).toMatch(/^https?:$/);
        },
      ),
    );
  });
});

describe("TCP endpoints", () => {
  test.each([
    ["the same host", `https://node1.example:1/exec/${token}`, `https://node1.example:1/exec/${token}`],
    ["in another case", `http://NODE1.example:1/exec/${token}`, `http://node1.example:1/exec/${token}`],
    ["a wildcard", `http://0.0.0.0:1/exec/${token}`, `http://node1.example:1/exec/${token}`],
    ["the IPv6 wildcard", `//[::]:1/cri/exec/${token}`, `http://node1.example:1/cri/exec/${token}`],
  ])("%s", (_, raw, href) => {
    expect(resolve(raw, remote)).toBe(href);
  });

  test.each([
    [
      "the runtime's loopback address, which the client would dial on its own machine",
      `http://127.0.0.1:1/exec/${token}`,
    ],
    ["localhost", `http://localhost:1/exec/${token}`],
    ["another host", `http://node2.example:1/exec/${token}`],
  ])("rejects %s", (_, raw) => {
    expect(refusal(raw, remote).message).toMatch(/not the runtime's host node1\.example; set the option streamUrl/);
  });

  test("an IPv6 host in any spelling", () => {
    const context = { ...remote, endpointHost: "2001:DB8:0::1" };
    expect(resolve(`http://[2001:db8::1]:1/exec/${token}`, context)).toBe(`http://[2001:db8::1]:1/exec/${token}`);
    expect(resolve(`http://[::]:1/exec/${token}`, context)).toBe(`http://[2001:db8::1]:1/exec/${token}`);
  });

  test.each(["localhost", "127.0.0.1", "::1"])("%s is this machine", (endpointHost) => {
    const context = { ...remote, endpointHost };
    expect(resolve(`http://127.0.0.1:1/exec/${token}`, context)).toBe(`http://127.0.0.1:1/exec/${token}`);
    expect(refusal(`http://192.0.2.1:1/exec/${token}`, context).message).toMatch(/not an address of this machine/);
  });
});

describe("endpoints over TLS", () => {
  const secure = { ...remote, mustBeSecure: true };

  test.each([
    ["the same host over TLS", `https://node1.example:1/exec/${token}`, `https://node1.example:1/exec/${token}`],
    ["a wildcard over TLS", `https://0.0.0.0:1/exec/${token}`, `https://node1.example:1/exec/${token}`],
  ])("%s", (_, raw, href) => {
    expect(resolve(raw, secure)).toBe(href);
  });

  test.each([
    ["the same host", `http://node1.example:1/exec/${token}`],
    ["the same host, without a scheme", `//node1.example:1/exec/${token}`],
    ["a wildcard, without a scheme", `//[::]:1/cri/exec/${token}`],
  ])("rejects plain TCP: %s", (_, raw) => {
    const error = refusal(raw, secure);
    expect(error).toBeInstanceOf(InvalidResponseError);
    expect(error.message).toMatch(/is http:, but calls to the runtime use TLS.*allowInsecureTcp/);
  });

  test("rejects plain TCP to this machine, too", () => {
    const raw = `http://127.0.0.1:1/exec/${token}`;
    expect(refusal(raw, { ...secure, endpointHost: "127.0.0.1" }).message).toMatch(/is http:/);
  });

  test("streamUrl overrides the check", () => {
    const hook = () => new URL(`http://127.0.0.1:9/exec/${token}`);
    expect(resolve(`https://node1.example:1/exec/${token}`, { ...secure, hook })).toBe(
      `http://127.0.0.1:9/exec/${token}`,
    );
  });
});

describe("the streamUrl hook", () => {
  const withHook = (hook: (url: URL, kind: StreamKind) => URL) => ({ ...unix, kind: "attach" as const, hook });

  test("gets the repaired URL and may return any host", () => {
    const seen: unknown[] = [];
    const context = withHook((url, kind) => {
      seen.push(url.href, kind);
      url.host = "tunnel.example:9";
      return url;
    });
    expect(resolve(`//[::]:1/attach/${token}`, context)).toBe(`http://tunnel.example:9/attach/${token}`);
    expect(seen).toEqual([`http://127.0.0.1:1/attach/${token}`, "attach"]);
    expect(resolve(`http://192.0.2.1/attach/${token}`, context), "a host that is rejected without the hook").toContain(
      "tunnel",
    );
  });

  test.each([
    ["another scheme", () => new URL(`ftp://127.0.0.1/${token}`)],
    ["nothing", () => undefined as unknown as URL],
    ["not a URL", () => `x-${token}` as unknown as URL],
  ])("must not return %s", (_, hook) => {
    const error = refusal(`http://127.0.0.1:1/attach/${token}`, withHook(hook));
    expect(error).toBeInstanceOf(InvalidInputError);
    expect(error.message).toBe("[INVALID_INPUT] streamUrl: must return an http: or https: URL");
  });

  test("does not get a URL that cannot be repaired", () => {
    expect(
      refusal(
        "file:///x",
        withHook((url) => url),
      ).message,
    ).toMatch(/RuntimeService\/Attach: .*scheme file/);
  });

  test("errors of the hook are thrown unchanged", () => {
    const problem = new Error("no tunnel");
    const hook = () => {
      throw problem;
    };
    expect(() => resolve(`http://127.0.0.1:1/attach/${token}`, withHook(hook))).toThrow(problem);
  });
});
