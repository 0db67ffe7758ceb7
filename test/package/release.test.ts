/** Checks the notes of a release, and the workflow that publishes one. */
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { projectRoot } from "../../scripts/lib/buf.js";
import { releaseNotes } from "../../scripts/release-notes.js";

const run = promisify(execFile);
const folder = join(projectRoot, ".github/workflows");
const workflow = (name: string) => readFileSync(join(folder, name), "utf8");

const changelog = `# Changelog

Text with [a link](docs/support.md).

## [Unreleased]

## [1.2.0] - 2026-11-29

### Added

- See [Support](docs/support.md#node), [npm](https://example.org) and [above](#x).

#### Logs

- More.

## [1.1.0] - 2026-01-02

- Less.

## [1.0.0]
`;
const repository = "https://example.org/owner/name";

describe("release notes", () => {
  test("are the section of the version, with links to its tag", () => {
    expect(releaseNotes(changelog, "1.2.0", repository)).toBe(
      [
        "### Added\n",
        "- See [Support](https://example.org/owner/name/blob/v1.2.0/docs/support.md#node), [npm](https://example.org) and [above](#x).\n",
        "#### Logs\n",
        "- More.",
      ].join("\n"),
    );
    expect(releaseNotes(changelog, "1.1.0", repository)).toBe("- Less.");
  });

  test.each([
    ["1.3.0", /must have one section "## \[1\.3\.0\] - YYYY-MM-DD", and has 0/],
    ["1.1", /has 0/],
    ["", /has 0/],
    ["1.0.0", /lists no changes/],
    ["Unreleased", /lists no changes/],
  ])("of %j are refused", (version, message) => {
    expect(() => releaseNotes(changelog, version, repository)).toThrow(message);
  });

  test("of a version with two sections are refused", () => {
    expect(() => releaseNotes(`${changelog}\n## [1.1.0]\n\n- Twice.\n`, "1.1.0", repository)).toThrow(/has 2/);
  });

  test("are printed by a command, which fails without a section", async () => {
    const script = ["--import", "tsx", "scripts/release-notes.ts"];
    const { stdout } = await run(process.execPath, [...script, "Unreleased"], { cwd: projectRoot });
    expect(stdout).toMatch(/^### Added$/m);
    const failure = run(process.execPath, [...script, "99.0.0"], { cwd: projectRoot });
    await expect(failure).rejects.toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("99.0.0") });
  });
});

interface Job {
  needs?: string | string[];
  permissions?: Record<string, string>;
  uses?: string;
  steps?: { run?: string; uses?: string }[];
}
const jobsOf = (name: string): Record<string, Job> => parse(workflow(name)).jobs;
const commandsOf = ({ steps = [] }: Job = {}) => steps.flatMap(({ run: command }) => command ?? []);

describe("the workflow that publishes", () => {
  const jobs = jobsOf("publish.yml");

  test("runs the tests and the matrix first", () => {
    expect(jobs.pack?.needs).toEqual(["test", "matrix"]);
    expect(jobs.test?.uses).toBe("./.github/workflows/test.yml");
    expect(jobs.matrix?.uses).toBe("./.github/workflows/matrix.yml");
    expect(commandsOf(jobsOf("matrix.yml").matrix)).toContain("npm run matrix");
  });

  test("publishes with provenance, after the release notes could be written", () => {
    const packing = commandsOf(jobs.pack);
    expect(packing.at(-1)).toMatch(/^npm run --silent release-notes -- .* > release-notes\.md$/);
    expect(jobs.publish?.needs).toBe("pack");
    expect(commandsOf(jobs.publish)).toEqual([expect.stringMatching(/^npm publish .* --provenance --access public/)]);
    expect(jobs["release-notes"]?.needs).toBe("publish");
  });

  test("gives permissions to write only to jobs that run no code of the repository or its dependencies", () => {
    expect(parse(workflow("publish.yml")).permissions).toEqual({});
    const writers = Object.entries(jobs).filter(([, { permissions = {} }]) =>
      Object.values(permissions).includes("write"),
    );
    expect(writers.map(([name]) => name)).toEqual(["publish", "release-notes"]);
    for (const [name, job] of writers) {
      expect(JSON.stringify(job), name).not.toMatch(/actions\/checkout|npm (ci|run|install)/);
    }
  });
});

test.each(readdirSync(folder))(
  "%s pins actions by commit, has a time limit for each job, and names its permissions",
  (name) => {
    expect(parse(workflow(name)).permissions, "permissions").toBeDefined();
    for (const [, action] of workflow(name).matchAll(/uses: (?!\.\/)(\S+.*)/g)) {
      expect(action).toMatch(/^[\w-]+\/[\w/-]+@[0-9a-f]{40} # v[\d.]+$/);
    }
    for (const [job, { uses, ...rest }] of Object.entries(jobsOf(name))) {
      if (uses === undefined) expect(rest, job).toHaveProperty("timeout-minutes");
    }
  },
);
