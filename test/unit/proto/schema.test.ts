import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { compileSchema, elementsOf, type SchemaElement, statedRelease } from "../../../scripts/lib/schema.js";

const elements = elementsOf(compileSchema("proto"));
const generated = readFileSync(new URL("../../../generated/runtime/v1/api.ts", import.meta.url), "utf8");

/** Removes line breaks and comment signs, so that comments can be compared regardless of line breaks. */
function flat(text: string): string {
  return text
    .replace(/^\s*\*(?!\/) ?/gm, "")
    .replace(/\s+/g, " ")
    .trim();
}

/** The JSDoc directly before the first matching line. */
function docOf(pattern: RegExp, within = generated): string | undefined {
  const doc = new RegExp(`/\\*\\*((?:(?!\\*/)[\\s\\S])*)\\*/\\s*${pattern.source}`, "m").exec(within)?.[1];
  return doc === undefined ? undefined : flat(doc);
}

function body(declaration: string): string {
  const start = generated.indexOf(`${declaration} {\n`);
  if (start < 0) throw new Error(`generated/ has no "${declaration}"`);
  return generated.slice(start, generated.indexOf("\n}", start));
}

/** Finds the element in the generated code and its documentation there. */
function generatedDocOf(element: SchemaElement): string | undefined {
  const name = (element.owner === undefined ? element.name : element.name.slice(element.owner.length + 1)).replaceAll(
    ".",
    "_",
  );
  const owner = element.owner?.replaceAll(".", "_");
  switch (element.kind) {
    case "service":
      return docOf(new RegExp(`export (?:type|const) ${name}Definition\\b`));
    case "rpc":
      return docOf(
        new RegExp(`${name[0]?.toLowerCase()}${name.slice(1)}\\(`),
        body(`export interface ${owner}Client<CallOptionsExt = {}>`),
      );
    case "message":
      return docOf(new RegExp(`export interface ${name} \\{`));
    case "field":
      return docOf(new RegExp(`${element.jsonName}:`), body(`export interface ${owner}`));
    case "enum":
      return docOf(new RegExp(`export enum ${name} \\{`));
    case "value":
      return docOf(new RegExp(`${name} = ${element.number},`), body(`export enum ${owner}`));
  }
}

describe("schema", () => {
  it("has both services with their 43 RPCs", () => {
    expect(elements.filter((element) => element.kind === "service").map((element) => element.name)).toEqual([
      "RuntimeService",
      "ImageService",
    ]);
    expect(elements.filter((element) => element.kind === "rpc")).toHaveLength(43);
  });

  // Names, numbers, types, JSON keys and options, one per line. A change of one of them appears in the review, and is wrong
  // unless the protocol itself has changed.
  it("is compatible with the protocol", async () => {
    const lines = elements.map(({ kind, name, number, type, jsonName, options }) =>
      [kind, name, number === undefined ? "" : `= ${number}`, type ?? "", jsonName ?? "", ...options]
        .filter((part) => part !== "")
        .join(" "),
    );
    await expect(`${lines.join("\n")}\n`).toMatchFileSnapshot("./contract.txt");
  });

  it("has a comment on every element", () => {
    expect(elements.filter((element) => !element.comment).map((element) => element.name)).toEqual([]);
  });

  it("has comments that are complete sentences", () => {
    const incomplete = elements.filter(
      ({ comment = "" }) => !/^(?:[A-Z0-9`"]|systemd:)/.test(comment) || !/[.:]$/.test(comment) || comment.length < 4,
    );
    expect(incomplete.map((element) => `${element.name}: ${element.comment}`)).toEqual([]);
  });

  it("writes releases in one form, between 1.24 and 1.37", () => {
    for (const element of elements) {
      const release = statedRelease(element);
      if (element.comment?.includes("Since")) expect(release, element.name).toMatch(/^1\.(2[4-9]|3[0-7])$/);
    }
  });

  it("states no earlier release for an RPC or member than for the element that contains it", () => {
    const releases = new Map(elements.map((element) => [element.name, statedRelease(element)]));
    for (const element of elements) {
      const release = releases.get(element.name);
      const ownerRelease = element.owner === undefined ? undefined : releases.get(element.owner);
      if (release && ownerRelease)
        expect(Number(release.slice(2)), element.name).toBeGreaterThanOrEqual(Number(ownerRelease.slice(2)));
    }
  });

  it("marks only credentials with debug_redact", () => {
    const secret = elements.filter((element) => element.options.includes("debug_redact"));
    expect(secret.map((element) => element.name)).toEqual([
      "AuthConfig.password",
      "AuthConfig.auth",
      "AuthConfig.identity_token",
      "AuthConfig.registry_token",
    ]);
  });

  it("shows every comment in the editor", () => {
    const missing = elements.filter((element) => !generatedDocOf(element)?.includes(flat(element.comment ?? "")));
    expect(missing.map((element) => `${element.kind} ${element.name}`)).toEqual([]);
  });

  it("marks deprecated fields for the editor", () => {
    for (const element of elements.filter((each) => each.options.includes("deprecated"))) {
      expect(generatedDocOf(element), element.name).toContain("@deprecated");
    }
  });
});
