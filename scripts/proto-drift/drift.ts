/**
 * The command behind `npm run proto:drift`, as a function, so that tests can call it.
 *
 * @module
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { compileSchema, elementsOf } from "../lib/schema.js";
import { breaking } from "./breaking.js";
import { compare, latestRelease } from "./compare.js";
import { agrees, asJson, asText, type Report } from "./report.js";
import { compileUpstream, debianUpstream, fileUpstream } from "./upstream.js";

const usage = `Compares proto/ with an upstream api.proto, on the wire and by name.

  npm run proto:drift                        with Debian's newest package of Kubernetes' CRI API (downloaded once)
  npm run proto:drift -- FILE                with a file
  npm run proto:drift -- FILE --latest 1.33  with a file of an older release: whatever is newer may be missing there
  npm run proto:drift -- --json              as JSON

Exits with 0 when nothing differs on the wire but additions newer than --latest (${latestRelease} unless given), with 1 when
something does, and with 2 when there was nothing to compare.`;

/** Runs the command and returns its exit code. */
export async function protoDrift(args: readonly string[], print: (text: string) => void): Promise<0 | 1 | 2> {
  const temporary = mkdtempSync(join(tmpdir(), "cri-drift-"));
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: "boolean" },
        latest: { type: "string", default: latestRelease },
        help: { type: "boolean" },
      },
    });
    if (values.help) {
      print(usage);
      return 0;
    }
    if (!/^1\.\d+$/.test(values.latest))
      throw new Error(`--latest takes a Kubernetes release such as ${latestRelease}, got ${values.latest}.`);

    const upstream = positionals[0] === undefined ? await debianUpstream() : fileUpstream(positionals[0]);
    const ours = compileSchema("proto");
    const theirs = compileUpstream(upstream, temporary);
    if (elementsOf(theirs).length === 0)
      throw new Error(`${upstream.name} declares nothing in the package runtime.v1.`);
    const drift = compare(elementsOf(ours), elementsOf(theirs), values.latest);
    const report: Report = { upstream: upstream.name, drift, breaking: breaking(ours, theirs, drift, temporary) };
    print(values.json ? asJson(report) : asText(report));
    return agrees(report) ? 0 : 1;
  } catch (error) {
    print(`proto:drift could not compare: ${error instanceof Error ? error.message : String(error)}`);
    return 2;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
