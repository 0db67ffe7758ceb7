import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { compileSchema, elementsOf, type SchemaElement, statedRelease } from "../../../scripts/lib/schema.js";

const elements = elementsOf(compileSchema("proto"));
const generated = readFileSync(new URL("../../../generated/runtime/v1/api.ts", import.meta.url), "utf8");

/** Text without line breaks and comment signs, so that comments compare however they are wrapped. */
function flat(text: string): string {
  return text
    .replace(/^\s*\*(?!\/) ?/gm, "")
    .replace(/\s+/g, " ")
    .trim();
}

/** JSDoc directly in front of the first line that matches. */
function docOf(pattern: RegExp, within = generated): string | undefined {
  const doc = new RegExp(`/\\*\\*((?:(?!\\*/)[\\s\\S])*)\\*/\\s*${pattern.source}`, "m").exec(within)?.[1];
  return doc === undefined ? undefined : flat(doc);
}

function body(declaration: string): string {
  const start = generated.indexOf(`${declaration} {\n`);
  if (start < 0) throw new Error(`generated/ has no "${declaration}"`);
  return generated.slice(start, generated.indexOf("\n}", start));
}

/** Where users meet an element in the generated code, and the documentation they read there. */
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
  it("holds both services with their 43 RPCs", () => {
    expect(elements.filter((element) => element.kind === "service").map((element) => element.name)).toEqual([
      "RuntimeService",
      "ImageService",
    ]);
    expect(elements.filter((element) => element.kind === "rpc")).toHaveLength(43);
  });

  // Names, numbers, types, JSON keys and options, one line each: a change to any of them shows up in review, and is wrong unless
  // the protocol itself changed.
  it("keeps its contract", async () => {
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

  it("has comments that are sentences of some substance", () => {
    const poor = elements.filter(
      ({ comment = "" }) => !/^(?:[A-Z0-9`"]|systemd:)/.test(comment) || !/[.:]$/.test(comment) || comment.length < 4,
    );
    expect(poor.map((element) => `${element.name}: ${element.comment}`)).toEqual([]);
  });

  it("names releases in one form only, between 1.24 and 1.37", () => {
    for (const element of elements) {
      const release = statedRelease(element);
      if (element.comment?.includes("Since")) expect(release, element.name).toMatch(/^1\.(2[4-9]|3[0-7])$/);
    }
  });

  it("never names an RPC or member older than the thing it belongs to", () => {
    const releases = new Map(elements.map((element) => [element.name, statedRelease(element)]));
    for (const element of elements) {
      const own = releases.get(element.name);
      const owners = element.owner === undefined ? undefined : releases.get(element.owner);
      if (own && owners) expect(Number(own.slice(2)), element.name).toBeGreaterThanOrEqual(Number(owners.slice(2)));
    }
  });

  it("marks the credentials, and nothing else, as not to be shown", () => {
    const secret = elements.filter((element) => element.options.includes("debug_redact"));
    expect(secret.map((element) => element.name)).toEqual([
      "AuthConfig.password",
      "AuthConfig.auth",
      "AuthConfig.identity_token",
      "AuthConfig.registry_token",
    ]);
  });

  it("shows every comment in the editor", () => {
    const lost = elements.filter((element) => !generatedDocOf(element)?.includes(flat(element.comment ?? "")));
    expect(lost.map((element) => `${element.kind} ${element.name}`)).toEqual([]);
  });

  it("marks deprecated fields for the editor", () => {
    for (const element of elements.filter((each) => each.options.includes("deprecated"))) {
      expect(generatedDocOf(element), element.name).toContain("@deprecated");
    }
  });
});
