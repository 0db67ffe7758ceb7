import { rm } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkLocal, resolvePlacement, toEndpoint } from "../../../src/testing/address.js";
import { parseEndpoint } from "../../../src/transport/endpoint.js";
import { skipOnWindows } from "../../support/platform.js";

test.skipIf(skipOnWindows("sockets in the file system"))(
  "without an endpoint, a fake listens on a socket in a new folder",
  async () => {
    const { address, ownFolder } = await resolvePlacement(undefined, "linux");
    expect(address).toEqual({ path: join(ownFolder!, "s") });
    expect(toEndpoint(address, false)).toBe(`unix://${(address as { path: string }).path}`);
    await rm(ownFolder!, { recursive: true });
  },
);

test("without an endpoint on Windows, a fake listens on a new named pipe", async () => {
  const one = await resolvePlacement(undefined, "win32");
  const other = await resolvePlacement(undefined, "win32");
  expect(toEndpoint(one.address, false)).toMatch(/^npipe:\/\/\/\/\.\/pipe\/cri-[0-9a-f-]{36}$/);
  expect(one.address).not.toEqual(other.address);
  expect(one.ownFolder).toBeUndefined();
});

test.each(["npipe:////./pipe/mine", String.raw`\\.\pipe\mine`])("on Windows, %s names a pipe", async (endpoint) => {
  const { address } = await resolvePlacement(endpoint, "win32");
  expect(address).toEqual({ path: String.raw`\\.\pipe\mine` });
  expect(toEndpoint(address, false)).toBe("npipe:////./pipe/mine");
  await expect(resolvePlacement(endpoint, "linux")).rejects.toThrow("only Windows has");
});

test.each([
  ["/tmp/a%23b", "/tmp/a%23b"],
  ["/tmp/a b", "/tmp/a b"],
  ["unix:///tmp/a%20b", "/tmp/a b"],
  ["unix:/tmp/a%2523b", "/tmp/a%23b"],
])("%s names the socket that a client of it connects to", async (endpoint, path) => {
  const { address } = await resolvePlacement(endpoint, "linux");
  expect(address).toEqual({ path });
  const client = { path, display: toEndpoint(address, false) };
  expect(parseEndpoint(endpoint, { platform: "linux" })).toMatchObject(client);
  expect(parseEndpoint(client.display, { platform: "linux" })).toMatchObject(client);
});

test("accepts the longest path for a socket on each platform", async () => {
  const longest = `/${"x".repeat(106)}`;
  await expect(resolvePlacement(longest, "linux")).resolves.toMatchObject({ address: { path: longest } });
  await expect(resolvePlacement(longest, "darwin")).rejects.toThrow("[INVALID_INPUT] endpoint: is 107 bytes long");
});

test.each(["unix:@x", "run/x.sock", "ftp://x:1", "127.0.0.1"])(
  "rejects %s and lists the accepted forms",
  async (endpoint) => {
    await expect(resolvePlacement(endpoint)).rejects.toThrow(
      /^\[INVALID_INPUT\] endpoint: expected an absolute socket path.*, got /,
    );
  },
);

describe("an address that only this machine can reach", () => {
  test.each([
    { path: "/run/x.sock" },
    { host: "127.0.0.1", port: 0 },
    { host: "127.9.8.7", port: 0 },
    { host: "::1", port: 0 },
  ])("%j", async (address) => {
    await checkLocal(address);
  });

  test("localhost, with all its addresses", () => checkLocal({ host: "localhost", port: 0 }));

  const own = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).filter(({ internal }) => !internal));

  test.each(["0.0.0.0", "::", "0", "192.0.2.1", "::ffff:192.0.2.1", ...own.map(({ address }) => address)])(
    "is not %s",
    async (host) => {
      await expect(checkLocal({ host, port: 80 })).rejects.toThrow(
        /^\[INVALID_INPUT\] endpoint: lets other machines run commands .*allowRemoteShell, got /,
      );
    },
  );

  test("is not a name without an address", async () => {
    await expect(checkLocal({ host: "nowhere.invalid", port: 80 })).rejects.toThrow(
      '[INVALID_INPUT] endpoint: has a host without an address, got "nowhere.invalid"',
    );
  });
});
