/**
 * Loads modules in a new process and prints the time, CPU time and memory of loading as JSON.
 *
 *     node probe.mjs measure|files '{"how":"import"|"require","what":[…],"proto":…}'
 *
 * `what` lists the modules. `proto` is a schema that proto-loader loads after them. With `files`, prints the loaded files instead.
 */
import { createRequire } from "node:module";

const [mode, task] = process.argv.slice(2);
const { how, what, proto } = JSON.parse(task);
const require = createRequire(import.meta.url);

async function load() {
  for (const specifier of what) {
    if (how === "import") await import(specifier);
    else require(specifier);
  }
  if (proto) require("@grpc/grpc-js").loadPackageDefinition(require("@grpc/proto-loader").loadSync(proto));
}

async function measure() {
  const rss = process.memoryUsage.rss();
  const cpu = process.cpuUsage();
  const start = performance.now();
  await load();
  const wall = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  return { wallMs: wall, cpuMs: (user + system) / 1e3, rssBytes: process.memoryUsage.rss() - rss };
}

/** Returns the files of all scripts that V8 parses during the load, as paths or URLs. */
async function files() {
  const { Session } = await import("node:inspector");
  const session = new Session();
  session.connect();
  const urls = new Set();
  session.on("Debugger.scriptParsed", ({ params }) => urls.add(params.url));
  session.post("Debugger.enable");
  // Enabling the debugger first reports the scripts that were loaded before.
  urls.clear();
  await load();
  session.disconnect();
  return [...urls].filter((url) => url.startsWith("file:") || url.startsWith("/"));
}

console.log(JSON.stringify(await (mode === "files" ? files() : measure())));
