/**
 * Records of the resources of every lab on this machine. A record is written before the resources are created, so that the next
 * run can remove them after a crash.
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
  /** Whether `npm run lab` started the lab, not a test run. */
  manual: boolean;
  /** See {@link processScope}. */
  scope: string;
  started: string;
  folder: string;
  bridges: string[];
  subnets: string[];
  /** Names of control groups, the same below every hierarchy. */
  cgroups: string[];
  /** `net.ipv4.ip_forward` before the first of the running labs. The bridge plugin enables it. */
  forwardingBefore: string;
  /** Path of busybox, for `ip link del` on machines without `ip`. */
  busybox: string;
  /** Endpoints by name, for `npm run lab -- status`. Empty until the lab is ready. */
  endpoints: Record<string, string>;
}

/** `live`: the owner runs. `abandoned`: the owner has ended. `foreign`: the owner is in another PID namespace. */
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
        // The lab removed its record after the folder was listed.
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
