import { rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { place, toEndpoint } from "../../../src/testing/address.js";

test("without an endpoint, a fake listens on a socket in a folder of its own", async () => {
  const { address, ownFolder } = await place(undefined, "linux");
  expect(address).toEqual({ path: join(ownFolder!, "s") });
  expect(toEndpoint(address, false)).toBe(`unix://${(address as { path: string }).path}`);
  await rm(ownFolder!, { recursive: true });
});

test("without an endpoint on Windows, a fake listens on a named pipe of its own", async () => {
  const one = await place(undefined, "win32");
  const other = await place(undefined, "win32");
  expect(toEndpoint(one.address, false)).toMatch(/^npipe:\/\/\/\/\.\/pipe\/cri-[0-9a-f-]{36}$/);
  expect(one.address).not.toEqual(other.address);
  expect(one.ownFolder).toBeUndefined();
});

test.each(["npipe:////./pipe/mine", String.raw`\\.\pipe\mine`])("on Windows, %s names a pipe", async (endpoint) => {
  const { address } = await place(endpoint, "win32");
  expect(address).toEqual({ path: String.raw`\\.\pipe\mine` });
  expect(toEndpoint(address, false)).toBe("npipe:////./pipe/mine");
  await expect(place(endpoint, "linux")).rejects.toThrow("only Windows has");
});

test.each(["run/x.sock", "ftp://x:1", "127.0.0.1"])("%s is refused, with what is accepted", async (endpoint) => {
  await expect(place(endpoint)).rejects.toThrow(
    /^\[INVALID_INPUT\] endpoint: expected an absolute socket path.*, got /,
  );
});
