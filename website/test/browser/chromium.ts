/**
 * The browser of the tests: the one at `CRI_DOCS_BROWSER`, or Chromium from Debian, unpacked into the lab's cache folder without
 * installing it.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { LaunchOptions } from "playwright-core";
import { cacheFolder, writeAtomically } from "../../../test/runtime/lab/cache.js";
import { fetchWithDependencies } from "../../../test/runtime/lab/debian.js";

const packages = ["chromium-headless-shell", "fonts-dejavu-core", "fonts-liberation"];

const omitted = [
  // The machine's loader starts Chromium, and works with the machine's C library only.
  "libc6",
  // Drivers of graphics cards, and what they depend on: a third of the download.
  "libgl1-mesa-dri",
  "libicu72",
  "libllvm15",
  "libz3-4",
];

/** Returns the reason why there is no browser on this machine, or `undefined` if there is one. */
export function whyNoBrowser(): string | undefined {
  const chosen = process.env.CRI_DOCS_BROWSER;
  if (chosen) return existsSync(chosen) ? undefined : `CRI_DOCS_BROWSER names ${chosen}, which does not exist`;
  const remedy = "set CRI_DOCS_BROWSER to the path of a Chromium";
  if (process.platform !== "linux") return `the packaged Chromium needs Linux, this is ${process.platform}; ${remedy}`;
  for (const program of ["apt-get", "dpkg-deb"]) {
    if (spawnSync(program, ["--version"]).error) return `the program ${program} is missing; ${remedy}`;
  }
  return undefined;
}

/** Returns how to launch the browser. Downloads and unpacks it first if the cache folder has none. */
export async function launchOptions(): Promise<LaunchOptions> {
  return {
    // Chromium's sandbox refuses to work as root. All pages are ours, and the test denies all other hosts.
    chromiumSandbox: false,
    args: ["--no-proxy-server", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
    ...(process.env.CRI_DOCS_BROWSER ? { executablePath: process.env.CRI_DOCS_BROWSER } : await packagedChromium()),
  };
}

async function packagedChromium(): Promise<LaunchOptions> {
  const root = await fetchWithDependencies("bookworm", packages, omitted);
  const fontsFolder = join(cacheFolder(), "fonts");
  const fontsFile = join(fontsFolder, "fonts.conf");
  await writeAtomically(fontsFile, fontConfiguration(join(root, "usr/share/fonts"), join(fontsFolder, "cache")));
  return {
    executablePath: join(root, "usr/lib/chromium/chromium-headless-shell"),
    env: {
      ...process.env,
      LD_LIBRARY_PATH: libraryFolders(root).join(":"),
      FONTCONFIG_FILE: fontsFile,
    },
  };
}

function libraryFolders(root: string): string[] {
  return [join(root, "lib"), join(root, "usr/lib")]
    .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
    .filter((folder) => folder.endsWith("-linux-gnu"))
    .flatMap((folder) => [folder, join(folder, "pulseaudio")]);
}

function fontConfiguration(fonts: string, cache: string): string {
  const alias = (family: string, font: string) =>
    `<alias><family>${family}</family><prefer><family>${font}</family></prefer></alias>`;
  return [
    '<?xml version="1.0"?>',
    '<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">',
    "<fontconfig>",
    `<dir>${fonts}</dir>`,
    `<cachedir>${cache}</cachedir>`,
    alias("sans-serif", "Liberation Sans"),
    alias("monospace", "Liberation Mono"),
    "</fontconfig>",
    "",
  ].join("\n");
}
