import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { nodeBinary, toolNode } from "../binaries.js";
import type { Group, Project } from "../cell.js";
import type { CellFolder } from "../cell-folder.js";
import { versions } from "../versions.js";

const { next, react } = versions;
const project: Project = { name: "next", packages: { next, react, "react-dom": react } };

const route = `
import { journey } from "../../journey.js";
export const dynamic = "force-dynamic";
export const GET = async () => new Response(await journey(process.env.CRI_ENDPOINT, process.env.CRI_LOGS));
`;

const layout = "export default function Layout({ children }) { return <html><body>{children}</body></html>; }\n";

/** Builds an application with a route handler, starts it, and requests the route. */
async function buildAndRequest(folder: CellFolder): Promise<void> {
  await folder.writeJavaScript("module", ["journey"]);
  await folder.write("app/journey/route.js", route);
  await folder.write("app/layout.jsx", layout);
  // The folder has no lock file, and Next.js would use the folder above it that has one as the root of the project.
  await folder.write(
    "next.config.mjs",
    `export default { turbopack: { root: ${JSON.stringify(folder.project)} }, outputFileTracingRoot: ${JSON.stringify(folder.project)} };\n`,
  );
  const node = folder.binary(nodeBinary(toolNode));
  const program = folder.installed("next/dist/bin/next");
  await folder.run(node, [program, "build"], { env: { NEXT_TELEMETRY_DISABLED: "1" } });
  await folder.journey(async (env) => {
    const server = spawn(node, [program, "start", "--hostname", "127.0.0.1", "--port", "0"], {
      cwd: folder.path,
      env: { ...process.env, ...env, NEXT_TELEMETRY_DISABLED: "1", NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const exited = once(server, "exit");
    try {
      const response = await fetch(`${await addressOf(server.stdout)}/journey`, {
        signal: AbortSignal.timeout(60_000),
      });
      return await response.text();
    } finally {
      server.kill();
      await exited;
    }
  });
}

/** Reads the address in the output of `next start`. */
async function addressOf(output: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: output })) {
    const [address] = /http:\/\/127\.0\.0\.1:\d+/.exec(line) ?? [];
    if (address !== undefined) {
      output.resume();
      return address;
    }
  }
  throw new Error("next start ended without an address");
}

export const frameworkGroup: Group = {
  title: "Frameworks",
  head: "framework",
  cells: [{ name: "next", row: `Next.js ${next}`, column: "route handler", project, run: buildAndRequest }],
};
