import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { devNull, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type DocumentFault, InvalidDocumentError, InvalidInputError } from "../../../src/errors.js";
import { loadCrictlConfig, locateCrictlConfig, readCrictlConfig } from "../../../src/transport/crictl-config.js";
import { skipOnWindows } from "../../support/platform.js";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "crictl-config-"));
});
afterEach(() => rm(directory, { recursive: true }));

async function file(text: string): Promise<string> {
  const path = join(directory, "crictl.yaml");
  await writeFile(path, text);
  return path;
}

describe("the path of the file", () => {
  it.each([
    ["linux", "/etc/crictl.yaml"],
    ["darwin", "/etc/crictl.yaml"],
    ["freebsd", "/usr/local/etc/crictl.yaml"],
    ["win32", "C:\\Users\\me\\.crictl\\crictl.yaml"],
  ] as const)("on %s", (platform, path) => {
    const env = { USERPROFILE: "C:\\Users\\me" };
    expect(locateCrictlConfig({ env, platform })).toEqual({ path, explicit: false });
  });

  it("is the value of CRI_CONFIG_FILE, unless a path is given", () => {
    const env = { CRI_CONFIG_FILE: "/a.yaml" };
    expect(locateCrictlConfig({ env })).toEqual({ path: "/a.yaml", explicit: true });
    expect(locateCrictlConfig({ env, path: "/b.yaml" })).toEqual({ path: "/b.yaml", explicit: true });
    expect(locateCrictlConfig({ env: { CRI_CONFIG_FILE: "" }, platform: "linux" }).explicit).toBe(false);
  });

  it("may be missing, unless the path is explicit", async () => {
    const path = join(directory, "missing.yaml");
    expect(await readCrictlConfig({ path, explicit: false })).toBeUndefined();
    await expect(loadCrictlConfig(path)).rejects.toThrow(`${path} does not exist`);
    await expect(loadCrictlConfig(undefined, { CRI_CONFIG_FILE: path })).rejects.toBeInstanceOf(InvalidInputError);
  });

  it("must lead to a regular file", async () => {
    const refused = `crictl configuration: ${directory} is a directory, not a regular file`;
    await expect(readCrictlConfig({ path: directory, explicit: false })).rejects.toThrow(refused);
  });

  it.skipIf(skipOnWindows("named pipes in the file system"))("never waits for a named pipe", async () => {
    const path = join(directory, "pipe");
    execFileSync("mkfifo", [path]);
    await expect(loadCrictlConfig(path)).rejects.toThrow(`${path} is a named pipe, not a regular file`);
  });

  it("may be the null device, which means an empty file", async () => {
    expect(await loadCrictlConfig(devNull)).toEqual({ ...(await loadCrictlConfig(await file(""))), path: devNull });
  });

  it("may contain any number of unknown keys", async () => {
    const keys = Array.from({ length: 10_000 }, (_, index) => `${index.toString(36)}:`);
    expect(await loadCrictlConfig(await file([...keys, "debug: true"].join("\n")))).toMatchObject({ debug: true });
  });

  it("has at most 64 KiB", async () => {
    const text = "debug: true\n".padEnd(64 * 1024, "#");
    expect(await loadCrictlConfig(await file(text))).toMatchObject({ debug: true });
    const path = await file(`${text}#`);
    await expect(loadCrictlConfig(path)).rejects.toThrow(`${path} has 65537 bytes or more; at most 65536 are read`);
  });
});

describe("the content of the file", () => {
  it("has seven keys", async () => {
    const path = await file(
      [
        "runtime-endpoint: unix:///run/containerd/containerd.sock",
        'image-endpoint: "unix:///run/images.sock"',
        "timeout: 10 # seconds",
        "debug: true",
        "pull-image-on-create: false",
        "disable-pull-on-run: true",
        "max-retries: -1",
        "future-key: [1, 2]",
      ].join("\n"),
    );
    expect(await loadCrictlConfig(undefined, { CRI_CONFIG_FILE: path })).toEqual({
      path,
      runtimeEndpoint: "unix:///run/containerd/containerd.sock",
      imageEndpoint: "unix:///run/images.sock",
      timeoutSeconds: 10,
      debug: true,
      pullImageOnCreate: false,
      disablePullOnRun: true,
      maxRetries: -1,
    });
  });

  it("may quote numbers and booleans", async () => {
    const path = await file(`timeout: "20"\ndebug: "T"\nmax-retries: 0\n`);
    expect(await loadCrictlConfig(path)).toEqual({ path, timeoutSeconds: 20, debug: true, maxRetries: 0 });
  });

  it.each(["", "# nothing\n", "---\n", "{}\n", 'runtime-endpoint: ""\nimage-endpoint:\ntimeout: ~\n'])(
    "may be empty: %j",
    async (text) => {
      const path = await file(text);
      expect(await loadCrictlConfig(path)).toEqual({ path });
    },
  );

  it.each([
    ["timeout: 10\ndebug: [\n", 3, /is not valid YAML/],
    ["timeout: 10\n\tdebug: true\n", 2, /is not valid YAML/],
    ["debug: true\ndebug: false\n", 2, /debug: is set twice/],
    ["- timeout\n", 1, /must consist of lines/],
    ["just text\n", 1, /must consist of lines/],
    ["debug: true\ntimeout: 10s\n", 2, /timeout: must be a whole number, got "10s"/],
    ["timeout: 1.5\n", 1, /timeout: must be a whole number/],
    ["\n\nmax-retries: many\n", 3, /max-retries: must be a whole number/],
    ["debug: yes\n", 1, /debug: must be true or false, got "yes"/],
    ["runtime-endpoint:\n  - a\n", 2, /runtime-endpoint: must be one value/],
  ])("is refused, and the error names the file and the line: %j", async (text, line, message) => {
    const path = await file(text);
    const error = await loadCrictlConfig(path).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(InvalidInputError);
    expect((error as InvalidInputError).message).toContain(`${path}:${line}: `);
    expect((error as InvalidInputError).message).toMatch(message);
  });

  it("is refused with all faults in one error", async () => {
    const path = await file("timeout: 10s\ndebug: yes\nmax-retries: 1\nmax-retries: 2\n");
    const error = (await loadCrictlConfig(path).catch((e: unknown) => e)) as InvalidDocumentError;
    expect(error).toBeInstanceOf(InvalidDocumentError);
    expect(error.faults).toEqual([
      { path: "max-retries", line: 4, column: 1, message: "is set twice" },
      { path: "timeout", line: 1, column: 10, message: 'must be a whole number, got "10s"' },
      { path: "debug", line: 2, column: 8, message: 'must be true or false, got "yes"' },
    ]);
    expect(error.message).toContain(`crictl configuration: has 3 faults:\n  ${path}:4: max-retries: is set twice\n`);
  });

  it("may have unknown keys, which are reported, or refused on request", async () => {
    const path = await file("debug: true\ntimeuot: 5\nfuture: x\n");
    const ignored: DocumentFault[] = [];
    const onIgnored = (fault: DocumentFault) => ignored.push(fault);
    expect(await loadCrictlConfig(path, {}, { onIgnored })).toEqual({ path, debug: true });
    expect(ignored).toMatchObject([
      { path: "timeuot", line: 2, column: 1, message: "unknown key; did you mean timeout?" },
      { path: "future", line: 3, message: expect.stringContaining("known are runtime-endpoint, ") },
    ]);
    await expect(loadCrictlConfig(path, {}, { strict: true })).rejects.toThrow(`${path}:2: timeuot: unknown key`);
    await expect(loadCrictlConfig(path, {}, { strct: true } as never)).rejects.toThrow("did you mean strict?");
  });
});
