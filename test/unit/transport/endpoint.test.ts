import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { InvalidInputError } from "../../../src/errors.js";
import { checkTlsFits, parseEndpoint, sameEndpoint } from "../../../src/transport/endpoint.js";

const linux = { platform: "linux" } as const;
const windows = { platform: "win32" } as const;
const insecure = { ...linux, allowInsecureTcp: true } as const;

function refusal(text: unknown, options: Parameters<typeof parseEndpoint>[1] = linux): InvalidInputError {
  try {
    parseEndpoint(text as string, options);
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidInputError);
    return error as InvalidInputError;
  }
  throw new Error(`${inspect(text)} was accepted`);
}

describe("parseEndpoint, unix sockets", () => {
  it.each([
    ["/run/x.sock", "/run/x.sock", "unix:///run/x.sock"],
    ["unix:/run/x.sock", "/run/x.sock", "unix:///run/x.sock"],
    ["unix:///run/x.sock", "/run/x.sock", "unix:///run/x.sock"],
    ["UNIX:///run/x.sock", "/run/x.sock", "unix:///run/x.sock"],
    ["//run//./x.sock", "/run/x.sock", "unix:///run/x.sock"],
    ["unix:////run/x.sock", "/run/x.sock", "unix:///run/x.sock"],
    ["/run/../x.sock", "/run/../x.sock", "unix:///run/../x.sock"],
    ["/run/a b.sock", "/run/a b.sock", "unix:///run/a%20b.sock"],
    ["unix:///run/a%20b.sock", "/run/a b.sock", "unix:///run/a%20b.sock"],
    ["/run/100%25.sock", "/run/100%25.sock", "unix:///run/100%2525.sock"],
    ["/run/a?b#c", "/run/a?b#c", "unix:///run/a%3Fb%23c"],
    ["unix:///run/a:80", "/run/a:80", "unix:///run/a:80"],
    ["/run/ü.sock", "/run/ü.sock", "unix:///run/ü.sock"],
  ])("%s", (text, path, display) => {
    const endpoint = parseEndpoint(text, linux);
    expect(endpoint).toEqual({ kind: "unix", path, display, target: `unix://${path}` });
    expect(parseEndpoint(display, linux), "the display parses to the same").toEqual(endpoint);
  });

  it.each([
    ["run/x.sock", /neither an absolute path nor a URL/],
    ["./x.sock", /neither an absolute path nor a URL/],
    ["unix:run/x.sock", /needs an absolute path/],
    ["unix://run/x.sock", /did you mean unix:\/\/\/run\/x\.sock\?/],
    ["unix://localhost/run/x.sock", /has a host, but a socket has none/],
    ["unix://", /has a host, but a socket has none/],
    ["unix:", /needs an absolute path/],
    ["unix:///", /ends in a slash/],
    ["/", /ends in a slash/],
    ["/run/", /ends in a slash/],
    ["unix:///run/x.sock?a=b", /query or fragment/],
    ["unix:///run/x.sock#a", /query or fragment/],
    ["unix:///run/x%00.sock", /escaped control character/],
    ["unix:///run/x%0a.sock", /escaped control character/],
    ["unix:///run/x%zz.sock", /percent sign/],
    ["/run/x\0.sock", /control character/],
    ["/run/x\n.sock", /control character/],
    [" /run/x.sock", /white space/],
    ["/run/x.sock\n", /white space/],
    ["", /is empty/],
    ["  ", /is empty/],
    ["vsock:3:1024", /scheme that no runtime uses/],
    ["localhost:1234", /scheme that no runtime uses/],
    [undefined, /must be a string/],
    [42, /must be a string/],
  ])("refuses %j", (text, message) => {
    expect(refusal(text).message).toMatch(message);
  });

  it("limits the length of a socket's path", () => {
    const path = (length: number) => `/${"x".repeat(length - 1)}`;
    expect(parseEndpoint(path(107), linux).kind).toBe("unix");
    expect(refusal(path(108)).message).toMatch(/108 bytes long; the path of a socket has at most 107/);
    expect(parseEndpoint(path(103), { platform: "darwin" }).kind).toBe("unix");
    expect(refusal(path(104), { platform: "darwin" }).message).toMatch(/at most 103/);
    expect(refusal(`/${"ü".repeat(54)}`).message, "bytes, not characters").toMatch(/109 bytes/);
  });

  it("names the field and shows the value", () => {
    const error = refusal("run/x.sock", { ...linux, field: "CONTAINER_RUNTIME_ENDPOINT" });
    expect(error.field).toBe("CONTAINER_RUNTIME_ENDPOINT");
    expect(error.message).toMatch(/^\[INVALID_INPUT\] CONTAINER_RUNTIME_ENDPOINT: .*, got "run\/x\.sock"$/);
    expect(refusal("").field).toBe("endpoint");
  });
});

describe("parseEndpoint, abstract sockets", () => {
  const node20 = Number.parseInt(process.versions.node, 10) < 22;

  if (node20) {
    it("requires Node.js 22, and explains why", () => {
      expect(refusal("@x").message).toMatch(/use Node\.js 22 or newer\. Node\.js 20 pads the name/);
    });
  } else {
    it.each(["unix-abstract:a b%20", "unix:@a b%20", "UNIX:@a b%20", "@a b%20"])("%s", (text) => {
      const endpoint = parseEndpoint(text, linux);
      const display = "unix-abstract:a b%20";
      expect(endpoint).toEqual({ kind: "abstract", name: "a b%20", display, target: "unix:\0a b%20" });
      expect(parseEndpoint(display, linux)).toEqual(endpoint);
    });
  }

  it("refuses a name that is too long for the kernel, an empty one, and other platforms", () => {
    expect(refusal(`@${"x".repeat(108)}`).message).toMatch(/a name of 108 bytes; .* at most 107/);
    expect(refusal("unix-abstract:").message).toMatch(/without a name/);
    expect(refusal("@x", { platform: "darwin" }).message).toMatch(/which only Linux has/);
    expect(refusal("@x", windows).message).toMatch(/which only Linux has/);
    expect(refusal("@x\0y").message).toMatch(/control character/);
  });
});

describe("parseEndpoint, named pipes", () => {
  it.each([
    "npipe:////./pipe/containerd-containerd",
    "npipe://./pipe/containerd-containerd",
    "npipe:\\\\.\\pipe\\containerd-containerd",
    "\\\\.\\pipe\\containerd-containerd",
    "//./pipe/containerd-containerd",
  ])("%s", (text) => {
    const endpoint = parseEndpoint(text, windows);
    expect(endpoint).toEqual({
      kind: "npipe",
      path: "\\\\.\\pipe\\containerd-containerd",
      display: "npipe:////./pipe/containerd-containerd",
      target: "unix:\\\\.\\pipe\\containerd-containerd",
    });
    expect(parseEndpoint(endpoint.display, windows)).toEqual(endpoint);
    expect(refusal(text, linux).message).toMatch(/only Windows has/);
  });

  it("refuses names of other files, and unix sockets on Windows", () => {
    expect(refusal("npipe:////./containerd", windows).message).toMatch(/not the name of a pipe/);
    expect(refusal("npipe:x", windows).message).toMatch(/not the name of a pipe/);
    expect(refusal("/run/x.sock", windows).message).toMatch(/unix socket, which Node.js cannot open on Windows/);
    expect(refusal("C:\\x.sock", windows).message).toMatch(/scheme/);
  });
});

describe("parseEndpoint, TCP", () => {
  it.each([
    ["https://node7:10010", { tls: true, host: "node7", port: 10010 }, "https://node7:10010", "dns:node7:10010"],
    [
      "https://Node7.Example.:443/",
      { tls: true, host: "node7.example.", port: 443 },
      "https://node7.example.:443",
      "dns:node7.example.:443",
    ],
    ["https://10.0.0.7:1", { tls: true, host: "10.0.0.7", port: 1 }, "https://10.0.0.7:1", "ipv4:10.0.0.7:1"],
    ["https://[::1]:65535", { tls: true, host: "::1", port: 65535 }, "https://[::1]:65535", "ipv6:[::1]:65535"],
    ["https://[FE80:0:0::01]:1", { tls: true, host: "fe80::1", port: 1 }, "https://[fe80::1]:1", "ipv6:[fe80::1]:1"],
    ["http://localhost:80", { tls: false, host: "localhost", port: 80 }, "http://localhost:80", "dns:localhost:80"],
    ["tcp://localhost:0080", { tls: false, host: "localhost", port: 80 }, "http://localhost:80", "dns:localhost:80"],
  ])("%s", (text, parts, display, target) => {
    const endpoint = parseEndpoint(text, insecure);
    expect(endpoint).toEqual({ kind: "tcp", ...parts, display, target });
    expect(parseEndpoint(display, insecure)).toEqual(endpoint);
  });

  it.each([
    ["https://node7", /has no port/],
    ["https://node7:", /has no port/],
    ["https://node7:0", /between 1 and 65535/],
    ["https://node7:65536", /between 1 and 65535/],
    ["https://node7:http", /between 1 and 65535/],
    ["https://:1", /has no host/],
    ["https:node7:1", /needs the form/],
    ["https://no_de!:1", /neither a name nor an address/],
    ["https://300.1.1.1:1", /neither a name nor an address/],
    ["https://-a:1", /neither a name nor an address/],
    ["https://::1:1", /IPv6 address goes in brackets/],
    ["https://[nope]:1", /other than an IPv6 address/],
    ["https://[fe80::1%eth0]:1", /other than an IPv6 address/],
    ["https://node7:1/path", /only host and port/],
    ["https://node7:1?x=y", /only host and port/],
    ["https://node7:1#x", /only host and port/],
  ])("refuses %s", (text, message) => {
    expect(refusal(text).message).toMatch(message);
  });

  it("refuses plain TCP without allowInsecureTcp", () => {
    expect(refusal("http://localhost:80").message).toMatch(/plain TCP.*allowInsecureTcp/);
    expect(refusal("tcp://localhost:80").message).toMatch(/plain TCP.*allowInsecureTcp/);
  });

  it.each([
    "https://me:s3cr/et@node7:1",
    'https://me:s3cr"et@node7:1',
    "tcp://me:s3cret@node7:1",
    "ftp://me:s3cret@x",
    "me:s3cret@127.0.0.1:1",
    " https://me:s3cret@node7:1",
    "https:me:s3cret@node7:1",
    "//me:s3cret@node7:1",
    "unix://me:s3cret@node7/x.sock",
    "npipe:me:s3cret@x",
    "https://node7:1?token=s3cret",
    "https://node7:1/?s3cret",
    "https://node7:1#s3cret",
    "node7:1?x=s3cret",
    "unix:///run/x.sock?s3cret",
    { url: "https://node7:1", password: "s3cret" } as unknown as string,
    new URL("https://me:s3cret@node7:1") as unknown as string,
  ])("never shows a password: %s", (text) => {
    expect(inspect(refusal(text, insecure), { depth: 9, showHidden: true })).not.toMatch(/s3cr/);
  });
});

describe("TLS credentials and endpoints", () => {
  const tls = { serverName: "node7" };

  it("are refused for endpoints without TLS", () => {
    expect(refusal("/run/x.sock", { ...linux, tls })).toMatchObject({
      field: "tls",
      details: "tls: does not apply to unix:///run/x.sock: only https:// endpoints use TLS",
    });
    expect(refusal("http://h:1", { ...insecure, tls }).field).toBe("tls");
  });

  it("are accepted for every endpoint if they are empty", () => {
    expect(parseEndpoint("/run/x.sock", { ...linux, tls: {} }).kind).toBe("unix");
    expect(parseEndpoint("/run/x.sock", { ...linux, tls: { ca: undefined } }).kind).toBe("unix");
  });

  it("may apply to only one of two endpoints", () => {
    const local = parseEndpoint("/run/x.sock", linux);
    const remote = parseEndpoint("https://node7:1", linux);
    expect(() => checkTlsFits(tls, local, remote)).not.toThrow();
    expect(() => checkTlsFits(tls, local, local)).toThrow(/does not apply/);
    expect(() => checkTlsFits({ cert: "x" }, remote)).toThrow(/tls\.key: is missing/);
  });
});

describe("sameEndpoint", () => {
  it("compares canonical forms", () => {
    const same = (a: string, b: string) => sameEndpoint(parseEndpoint(a, insecure), parseEndpoint(b, insecure));
    expect(same("/run/x.sock", "unix:/run//x.sock")).toBe(true);
    expect(same("tcp://HOST:1", "http://host:1")).toBe(true);
    expect(same("https://host:1", "http://host:1")).toBe(false);
    expect(same("/run/x.sock", "/var/run/x.sock")).toBe(false);
  });
});
