/**
 * What every lab on this machine owns, written down before it is created, so that whoever comes after a crash can remove it.
 *
 * @module
 */
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder, writeAtomically } from "./cache.js";
import { isRunning, type ProcessIdentity, processScope } from "./processes.js";

export interface LabRecord {
  /** Also the value of `CRI_LAB_ID` in the environment of every process of the lab. */
  id: string;
  owner: ProcessIdentity;
  /** Brought up by hand, and so taken down by hand; not for instance by a test run. */
  manual: boolean;
  /** See {@link processScope}. */
  scope: string;
  started: string;
  folder: string;
  bridges: string[];
  subnets: string[];
  /** Names of control groups, the same below every hierarchy. */
  cgroups: string[];
  /** `net.ipv4.ip_forward` before the first of the labs now running: the bridge plugin switches it on. */
  forwardingBefore: string;
  /** A program that understands `ip link del`, for machines that have none. */
  busybox: string;
  /** Filled in once the lab is ready; for `npm run lab -- status`. */
  endpoints: Record<string, string>;
}

/** `live`: its owner runs. `abandoned`: its owner is gone. `foreign`: its owner cannot be judged from here. */
export type LabState = "live" | "abandoned" | "foreign";

function recordFolder(): string {
  return join(cacheFolder(), "labs");
}

function recordFile(id: string): string {
  return join(recordFolder(), `${id}.json`);
}

export async function writeRecord(record: LabRecord): Promise<void> {
  await writeAtomically(recordFile(record.id), `${JSON.stringify(record, null, 2)}\n`);
}

export function removeRecord(id: string): void {
  rmSync(recordFile(id), { force: true });
}

export function readRecords(): LabRecord[] {
  let files: string[];
  try {
    files = readdirSync(recordFolder());
  } catch {
    return [];
  }
  return files
    .filter((file) => file.endsWith(".json"))
    .flatMap((file) => {
      try {
        return [JSON.parse(readFileSync(join(recordFolder(), file), "utf8")) as LabRecord];
      } catch {
        // Removed in the meantime by the lab itself.
        return [];
      }
    });
}

export function stateOf(record: LabRecord): LabState {
  const [boot, namespace] = processScope().split(" ");
  const [recordedBoot, recordedNamespace] = record.scope.split(" ");
  if (recordedNamespace !== namespace) return "foreign";
  return recordedBoot === boot && isRunning(record.owner) ? "live" : "abandoned";
}
