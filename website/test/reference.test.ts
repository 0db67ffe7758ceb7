/** Checks the Markdown of the reference, which `npm run docs` has written. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { source } from "../build/places.js";
import { entryPoints } from "../build/reference/entry-points.js";

const api = join(source, "api");
const read = (path: string) => readFile(join(api, path), "utf8");

test("the page of an entry point links to every export", async () => {
  for (const { name, folder, exports } of entryPoints) {
    const index = await read(`${folder}/index.md`);
    expect(exports.length, name).toBeGreaterThan(0);
    for (const exported of exports) expect(index, `${name}: ${exported}`).toContain(`[${exported}](`);
  }
});

test("lists the exports of the main entry point by the sections of its source", async () => {
  const headings = [...(await read("client/index.md")).matchAll(/^## (.*)$/gm)].map(([, title]) => title);
  expect(headings).toEqual([...(entryPoints[0]?.sections.keys() ?? []), "Re-exports"]);
});

test("a method has an anchor, its parameters, its result and its errors", async () => {
  const page = await read("client/CriClient.md");
  const method = page.split(/^### /m).find((part) => part.startsWith("createContainerInSandbox()")) ?? "";
  expect(method).toContain("{#createcontainerinsandbox}");
  expect(method).toContain("[`CreateContainerOptions`](CreateContainerOptions.md)");
  expect(method).toContain("**Returns:** `Promise`");
  expect(method).toContain("**Throws:** ");
});

test("options do not repeat the fields of CallOptions", async () => {
  expect(await read("client/CallOptions.md")).toContain("### timeoutMs?");
  const page = await read("client/CreateContainerOptions.md");
  expect(page).toContain("(CallOptions.md)");
  expect(page).not.toContain("### signal?");
});

test("a message has one page, without its companions", async () => {
  expect(await read("proto/ContainerStatus.md")).toContain("# Interface: ContainerStatus");
  expect(existsSync(join(api, "proto/ContainerStatus-1.md"))).toBe(false);
  expect(existsSync(join(api, "proto/containerStateToJSON.md"))).toBe(false);
});
