/** Checks code in the pages that is not TypeScript: commands, manifests and data. */
import { PassThrough } from "node:stream";
import { planPod, readManifests } from "k8s-cri-client/kubernetes";
import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import packageJson from "../../package.json" with { type: "json" };
import { buildProgram, loadInto } from "../../src/cli/program.js";
import { temporaryNode } from "../support/temporary-node.js";
import { type Block, pageBlocks } from "./documented-code/blocks.js";

const place = ({ file, line }: Block) => `${file}:${line}`;

/** Languages with a check in this file or in documented-code.test.ts. `text` and `txt` are output; a fence without one is a drawing. */
const languages = ["ts", "sh", "yaml", "json", "text", "txt", ""];

test("code in the pages is in a language that the tests check", () => {
  const unknown = pageBlocks().filter(({ language }) => !languages.includes(language));
  expect(unknown.map((block) => `${place(block)}: ${block.language}`)).toEqual([]);
});

describe("data in the pages", () => {
  test("is valid YAML, and manifests can be planned", async () => {
    await using temporary = await temporaryNode();
    for (const block of pageBlocks("yaml")) {
      const faults = parseAllDocuments(block.code).flatMap(({ errors }) => errors);
      expect(faults, place(block)).toEqual([]);
      if (!/^kind: Pod$/m.test(block.code)) continue;
      const { pods, objects, ignored } = readManifests(block.code);
      expect(ignored, place(block)).toEqual([]);
      for (const pod of pods)
        expect(planPod(pod, { node: temporary.node, objects }).containers.length).toBeGreaterThan(0);
    }
  });

  test("is valid JSON", () => {
    for (const block of pageBlocks("json")) expect(() => JSON.parse(block.code), place(block)).not.toThrow();
  });
});

describe("commands in the pages", () => {
  /** Programs of other packages and of the system. A misspelled name is not among them. */
  const programs = [
    ...["cd", "export", "mkdir", "curl", "jq", "xargs", "source", "echo", "rm", "cat", "sed", "kubectl", "docker"],
    ...["node", "npm", "npx", "k8s-cri-client"],
  ];
  const packages = [...Object.keys(packageJson.devDependencies), packageJson.name];

  /** The simple commands of all shell blocks, each as words, without the content of quotes. */
  const commands = pageBlocks("sh").flatMap((block) =>
    block.code
      .replace(/"[^"\n]*"|'[^'\n]*'/g, "''")
      .replace(/(?<=\s)#.*$/gm, "")
      .split(/\n|&&|\||<\(|\)/)
      .map((command) => command.split(/\s+/).filter((word) => word !== ""))
      .map((words) => words.slice(words.findIndex((word) => word !== "sudo" && !/^[A-Z_]+=/.test(word))))
      .filter((words) => words.length > 0)
      .map((words) => ({ words, at: place(block) })),
  );

  test("are of programs that exist", () => {
    expect(commands.length).toBeGreaterThan(0);
    for (const { words, at } of commands) {
      const [program = "", argument = ""] = words;
      expect(programs, at).toContain(program);
      if (program === "npx") expect(packages, at).toContain(argument);
      if (program === "npm") expect(["ci", "init", "install", "pack", "run", "test"], at).toContain(argument);
      if (program === "npm" && argument === "run") expect(Object.keys(packageJson.scripts), at).toContain(words[2]);
    }
  });

  test("of this package have only commands and options that exist", async () => {
    const { signal } = new AbortController();
    const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
    const program = buildProgram({ stdin, stdout, stderr, env: {}, signal });
    const lines = commands.filter(({ words }) => words.includes(packageJson.name) && !words.includes("install"));
    expect(lines.length).toBeGreaterThan(0);
    for (const { words, at } of lines) {
      const [name = "", ...rest] = words.slice(words.indexOf(packageJson.name) + 1);
      const command = program.commands.find((each) => each.name() === name || each.aliases().includes(name));
      if (command === undefined) expect.fail(`${at}: there is no command ${name}`);
      await loadInto(command);
      const known = command.options.flatMap(({ long, short }) => [long, short]);
      const end = rest.indexOf("--");
      const options = rest.slice(0, end < 0 ? rest.length : end).filter((word) => word.startsWith("-"));
      // Short options may be joined: -it.
      const flags = options.flatMap((option) =>
        option.startsWith("--") ? [option.replace(/=.*$/, "")] : [...option.slice(1)].map((letter) => `-${letter}`),
      );
      for (const flag of flags) expect(known, `${at}: ${name}`).toContain(flag);
    }
  });
});
