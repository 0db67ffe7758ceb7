/**
 * Starts and stops a lab by hand: `npm run lab -- up [--detach] [--versions=1.7,2.1] | down [ID] | status | clean`.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { cacheFolder } from "./cache.js";
import { type LabVersion, labAvailability, labVersions, parseVersions, startLab } from "./lab.js";
import { tailOf } from "./logs.js";
import { signal } from "./processes.js";
import { type LabRecord, readRecords, stateOf } from "./records.js";
import { tearDown, tearDownAbandoned } from "./teardown.js";

const usage = "Usage: npm run lab -- up [--detach] [--versions=1.6,1.7,2.1] | down [ID] | status | clean";

async function up(versions: readonly LabVersion[]): Promise<void> {
  const availability = labAvailability();
  if (!availability.available) throw new Error(`This machine cannot run the lab: ${availability.reason}.`);
  const lab = await startLab({ versions, tcp: { "2.1": "cri" }, manual: true });
  const { username, password, address } = lab.privateRegistry;
  console.log(`Lab ${lab.id} is up. Images:`);
  for (const image of Object.keys(lab.images.digests)) console.log(`  ${image}`);
  console.log(`Credentials for ${address}: ${username} / ${password}`);
  for (const { name, version, endpoint, tcp } of lab.instances) {
    console.log(
      `# ${name} (${version})${tcp ? `, also ${tcp.address} with certificates beside ${tcp.authorityFile}` : ""}`,
    );
    console.log(`export CONTAINER_RUNTIME_ENDPOINT=${endpoint}`);
  }
  console.log(`Ctrl+C or \`npm run lab -- down ${lab.id}\` stops it.`);
  // The timer keeps the process running, because the child processes are unreferenced.
  setInterval(() => {}, 2 ** 30);
}

/** Starts this program again as a background process, and waits until its lab is up. */
async function upDetached(versions: readonly LabVersion[]): Promise<void> {
  await mkdir(cacheFolder(), { recursive: true });
  const logFile = join(cacheFolder(), "detached.log");
  const log = await open(logFile, "w");
  const child = spawn(
    process.execPath,
    [...process.execArgv, fileURLToPath(import.meta.url), "up", `--versions=${versions.join(",")}`],
    { detached: true, stdio: ["ignore", log.fd, log.fd] },
  );
  child.unref();
  await log.close();
  for (;;) {
    const output = await tailOf(logFile, 100);
    if (output.includes("stops it.")) return console.log(output.replace("Ctrl+C or ", ""));
    if (child.exitCode !== null) throw new Error(output);
    await sleep(200);
  }
}

/** Stops the lab with this id. Without an id, stops the only lab that was started by hand; throws if there are several. */
async function down(id: string | undefined): Promise<void> {
  const live = readRecords().filter((record) => stateOf(record) === "live");
  const selected = live.filter((record) => (id === undefined ? record.manual : record.id === id));
  if (id !== undefined && selected.length === 0) throw new Error(`No lab with the id ${id} is up.`);
  if (selected.length > 1) throw new Error(`Several labs are up; add an id:\n${selected.map(describe).join("\n")}`);
  for (const record of selected) {
    signal(record.owner, "SIGTERM");
    const deadline = Date.now() + 20_000;
    while (stateOf(record) === "live" && Date.now() < deadline) await sleep(50);
    // If the owner does not react, remove its lab without it.
    if (readRecords().some((other) => other.id === record.id)) tearDown(record);
    console.log(`Lab ${record.id} is down.`);
  }
}

function clean(): void {
  for (const { id } of tearDownAbandoned()) console.log(`Removed the remains of lab ${id}.`);
}

function status(): void {
  const records = readRecords();
  if (records.length === 0) console.log("No lab is up.");
  for (const record of records) console.log(describe(record));
}

function describe(record: LabRecord): string {
  const lines = Object.entries(record.endpoints).map(([name, endpoint]) => `\n  ${name}  ${endpoint}`);
  const origin = record.manual ? ", started by hand" : "";
  const owner = `process ${record.owner.pid}, since ${record.started}`;
  return `${record.id}  ${stateOf(record)}${origin}, ${owner}${lines.join("")}`;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      detach: { type: "boolean", short: "d" },
      versions: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(usage);
  const versions = values.versions === undefined ? labVersions : parseVersions(values.versions);
  switch (positionals[0]) {
    case "up":
      return await (values.detach ? upDetached(versions) : up(versions));
    case "down":
      return await down(positionals[1]);
    case "status":
      return status();
    case "clean":
      return clean();
    default:
      throw new Error(usage);
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
