/**
 * A fresh process that loads one thing and tells what that cost, as JSON.
 *
 *     node probe.mjs measure|files '{"how":"import"|"require","what":[…],"proto":…}'
 *
 * `proto` is a schema that proto-loader is given in the end. With `files` it tells what was loaded instead.
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

/** Every script that V8 has compiled meanwhile, whichever way it was loaded. */
async function files() {
  const { Session } = await import("node:inspector");
  const session = new Session();
  session.connect();
  const urls = new Set();
  session.on("Debugger.scriptParsed", ({ params }) => urls.add(params.url));
  session.post("Debugger.enable");
  urls.clear(); // what was there before is told first
  await load();
  session.disconnect();
  return [...urls].filter((url) => url.startsWith("file:") || url.startsWith("/"));
}

console.log(JSON.stringify(await (mode === "files" ? files() : measure())));
