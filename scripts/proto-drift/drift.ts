/**
 * The command `npm run proto:drift` as a function, so that tests can call it.
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

const usage = `Compares proto/ with an upstream api.proto: the wire format, and names.

  npm run proto:drift                        compares with Debian's newest package of Kubernetes' CRI API (downloaded once)
  npm run proto:drift -- FILE                compares with a file
  npm run proto:drift -- FILE --latest 1.33  compares with a file of an older release, which may lack newer elements
  npm run proto:drift -- --json              prints JSON

Exit codes: 0 if the wire formats are equal except for additions newer than --latest (default ${latestRelease}), 1 if they
differ, 2 if the comparison failed.`;

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
      throw new Error(`--latest must be a Kubernetes release such as ${latestRelease}, got ${values.latest}.`);

    const upstream = positionals[0] === undefined ? await debianUpstream() : fileUpstream(positionals[0]);
    const ours = compileSchema("proto");
    const theirs = compileUpstream(upstream, temporary);
    if (elementsOf(theirs).length === 0)
      throw new Error(`${upstream.name} declares no elements of the package runtime.v1.`);
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
