/** Checks the address of the repository, and the forms and settings in `.github/` for those who contribute. */
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { FakeRuntime } from "k8s-cri-client/testing";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { projectRoot } from "../../scripts/lib/buf.js";
import { addressesOf, ownerIn, placeholder, problemOf } from "../../scripts/repository/addresses.js";
import { runCli } from "../support/terminal.js";

const run = promisify(execFile);
const read = (path: string) => readFileSync(join(projectRoot, path), "utf8");
const manifest = JSON.parse(read("package.json"));

describe("the address of the repository", () => {
  test("is the same in repository, homepage, bugs and CODEOWNERS", () => {
    const isPlaceholder = manifest.repository.url === `git+${placeholder}.git`;
    expect(problemOf(manifest)).toBe(isPlaceholder ? "package.json has no repository yet." : undefined);
    expect(read(".github/CODEOWNERS")).toMatch(new RegExp(`^\\* @${ownerIn(manifest)}(/[\\w-]+)?$`, "m"));
  });

  test("is checked before publishing: the placeholder and fields that disagree are refused", () => {
    expect(manifest.scripts.prepublishOnly).toBe("npm run --silent repository");
    const addresses = addressesOf("owner/name");
    expect(problemOf(addresses)).toBeUndefined();
    const unset = JSON.parse(JSON.stringify(addresses).replaceAll("https://github.com/owner/name", placeholder));
    expect(problemOf(unset)).toBe("package.json has no repository yet.");
    expect(problemOf({ ...addresses, homepage: "https://github.com/other/name#readme" })).toBe(
      '"homepage" in package.json must be https://github.com/owner/name#readme, as in "repository".',
    );
    expect(problemOf({ ...addresses, bugs: { url: "https://github.com/other/name/issues" } })).toContain('"bugs"');
    expect(() => addressesOf("https://github.com/owner/name")).toThrow("must be OWNER/NAME");
  });

  test("is set by one command", async () => {
    const folder = mkdtempSync(join(tmpdir(), "cri-repository-"));
    try {
      for (const path of ["package.json", "scripts/repository", ".github/CODEOWNERS"]) {
        mkdirSync(join(folder, path, ".."), { recursive: true });
        cpSync(join(projectRoot, path), join(folder, path), { recursive: true });
      }
      symlinkSync(join(projectRoot, "node_modules"), join(folder, "node_modules"));
      const script = ["--import", "tsx", "scripts/repository/main.ts"];
      const { stdout } = await run(process.execPath, [...script, "my-org/my.fork"], { cwd: folder });
      expect(stdout).toBe("The repository is https://github.com/my-org/my.fork.\n");
      await run(process.execPath, script, { cwd: folder });
      const changed = readFileSync(join(folder, "package.json"), "utf8");
      expect(JSON.parse(changed)).toEqual({ ...manifest, ...addressesOf("my-org/my.fork") });
      expect(changed.split("\n")).toHaveLength(read("package.json").split("\n").length);
      expect(readFileSync(join(folder, ".github/CODEOWNERS"), "utf8")).toMatch(/^\* @my-org$/m);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

interface Form {
  name: string;
  description: string;
  body: {
    type: string;
    id?: string;
    attributes: { label?: string; value?: string; description?: string; options?: unknown[] };
    validations?: { required?: boolean };
  }[];
}
const form = (name: string): Form => parse(read(`.github/ISSUE_TEMPLATE/${name}.yml`));

describe("the issue forms", () => {
  test("are those for bugs, features and differences between runtimes", () => {
    const names = readdirSync(join(projectRoot, ".github/ISSUE_TEMPLATE"));
    expect(names.sort()).toEqual(["bug.yml", "config.yml", "feature.yml", "runtime-difference.yml"]);
  });

  test.each(["bug", "feature", "runtime-difference"])("%s.yml has the structure that GitHub requires", (name) => {
    const { body, ...head } = form(name);
    expect(head).toEqual({ name: expect.any(String), description: expect.any(String) });
    for (const { type, id, attributes } of body) {
      expect(["markdown", "input", "textarea", "dropdown"]).toContain(type);
      if (type === "markdown") expect(attributes.value).toEqual(expect.any(String));
      else expect([id, attributes.label]).toEqual([expect.stringMatching(/^[\w-]+$/), expect.any(String)]);
      if (type === "dropdown")
        for (const option of attributes.options ?? []) expect(option).toEqual(expect.any(String));
    }
    const ids = body.flatMap(({ id = [] }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test.each(["bug", "runtime-difference"])("%s.yml asks the author to remove secrets", (name) => {
    expect(form(name).body[0]?.attributes.value).toContain("**Remove secrets from everything you paste**");
  });

  test("the command in bug.yml prints the versions and the endpoint", async () => {
    const description = form("bug").body.find(({ id }) => id === "environment")?.attributes.description ?? "";
    const [, command = ""] = /`sudo npx k8s-cri-client ([^`]*)`/.exec(description) ?? [];
    await using runtime = await FakeRuntime.start({ version: { runtimeName: "fake", runtimeVersion: "1.2.3" } });
    const { stdout } = await runCli(command.split(" "), { env: { CONTAINER_RUNTIME_ENDPOINT: runtime.endpoint } });
    const { platform, arch, versions } = process;
    expect(stdout).toContain(`k8s-cri-client ${manifest.version} on Node.js ${versions.node}, ${platform} ${arch}`);
    expect(stdout).toContain(`${runtime.endpoint} from CONTAINER_RUNTIME_ENDPOINT`);
    expect(stdout).toContain("fake 1.2.3");
  });
});

test("Dependabot updates npm packages and actions in groups", () => {
  const { version, updates } = parse(read(".github/dependabot.yml"));
  expect(version).toBe(2);
  const found = updates.map((update: Record<string, unknown>) => [
    update["package-ecosystem"],
    update.directory,
    Object.keys(update.groups as object),
  ]);
  expect(found).toEqual([
    ["npm", "/", ["dependencies", "development"]],
    ["npm", "/website", ["website"]],
    ["github-actions", "/", ["actions"]],
  ]);
});
