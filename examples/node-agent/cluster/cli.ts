/**
 * Runs a cluster by hand: `npm run cluster -- up [--server=full|crds]`.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { installIn } from "../../../scripts/lib/install.js";
import { labAvailability } from "../../../test/runtime/lab/lab.js";
import { step } from "./step.js";

const usage = `Usage: npm run cluster -- up [--server=full|crds]

Runs a Kubernetes API server, the controller of the node agent, and three nodes: an agent and a containerd each.
Ctrl+C removes everything.

  --server=full  all of Kubernetes 1.20: accounts, rights, events, garbage collection (default)
  --server=crds  the part of a current release that serves custom resources; it needs less memory`;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { server: { type: "string", default: "full" }, help: { type: "boolean", short: "h" } },
  });
  if (values.help) return console.log(usage);
  if (positionals.join(" ") !== "up") throw new Error(usage);
  const { server } = values;
  if (server !== "full" && server !== "crds") throw new Error(`--server must be full or crds, got ${server}`);
  const availability = labAvailability();
  if (!availability.available) throw new Error(`This machine cannot run the cluster: ${availability.reason}.`);
  await step("Install the packages of examples/node-agent", () =>
    installIn(fileURLToPath(new URL("..", import.meta.url))),
  );
  const { up } = await import("./up.js");
  await up(server);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
