import { expect, test } from "vitest";
import { pathOnSite, rewriteLinks } from "../build/links.js";

const rewrite = (markdown: string, file = "docs/exec.md") =>
  rewriteLinks(markdown, {
    file,
    isPage: (path) => ["docs/exec.md", "docs/logs.md", "docs/recipes/ci-job.md", "SECURITY.md"].includes(path),
    repository: "https://host/owner/name",
  });

test("guides are at the top of the site, other pages have lower-case names", () => {
  expect(pathOnSite("docs/exec.md")).toBe("exec.md");
  expect(pathOnSite("docs/recipes/ci-job.md")).toBe("recipes/ci-job.md");
  expect(pathOnSite("SECURITY.md")).toBe("security.md");
});

test.each([
  ["a guide", "[Logs](logs.md)", "[Logs](./logs.md)"],
  ["a section of a guide", "[Logs](logs.md#tail)", "[Logs](./logs.md#tail)"],
  ["a page outside docs/", "[Security](../SECURITY.md#tls)", "[Security](./security.md#tls)"],
  ["a page in a folder", "[CI](recipes/ci-job.md)", "[CI](./recipes/ci-job.md)"],
  ["text in brackets", "[`a[0]` and [b]](logs.md)", "[`a[0]` and [b]](./logs.md)"],
])("a link to %s leads to the page on the site", (_, markdown, expected) => {
  expect(rewrite(markdown)).toBe(expected);
});

test("links lead out of the folder of a page, and from the root into docs/", () => {
  expect(rewrite("[Logs](../logs.md)", "docs/recipes/ci-job.md")).toBe("[Logs](../logs.md)");
  expect(rewrite("[Security](../../SECURITY.md)", "docs/recipes/ci-job.md")).toBe("[Security](../security.md)");
  expect(rewrite("[Logs](docs/logs.md)", "SECURITY.md")).toBe("[Logs](./logs.md)");
});

test.each([
  ["[top](../examples/top.ts)", "[top](https://host/owner/name/blob/main/examples/top.ts)"],
  ["[line](../src/client.ts#L3)", "[line](https://host/owner/name/blob/main/src/client.ts#L3)"],
  ["[README](../README.md#install)", "[README](https://host/owner/name/blob/main/README.md#install)"],
])("a link to a file that is not a page leads to the repository: %s", (markdown, expected) => {
  expect(rewrite(markdown)).toBe(expected);
});

test.each([
  "[section](#tail)",
  "[address](https://example.com/a.md)",
  "![figure](performance/size.svg)",
  "`[code](logs.md)`",
  "```md\n[code](logs.md)\n```",
  "    text without links",
])("stays as it is: %s", (markdown) => {
  expect(rewrite(markdown)).toBe(markdown);
});

test("a linked image keeps its image, and a link after code is rewritten", () => {
  expect(rewrite("`a` [b](logs.md) `c` [d](logs.md)")).toBe("`a` [b](./logs.md) `c` [d](./logs.md)");
});
