/**
 * The plainest static host: serves files by their path, index.html for folders, and 404.html for what does not exist. The site needs
 * no more.
 *
 * @module
 */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import type { Output } from "./site.js";

const types: Readonly<Record<string, string>> = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".json": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".woff2": "font/woff2",
};

export interface StaticHost {
  /** The address of the site, for example `http://127.0.0.1:4173/k8s-cri-client/`. */
  readonly url: string;
  close(): Promise<void>;
}

/** Serves a built site on loopback, below its base only. @param port defaults to a free one */
export async function serve({ base, folder }: Output, port = 0): Promise<StaticHost> {
  const server: Server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://127.0.0.1");
    const file = fileFor(pathname);
    const content = file && (await readFile(file).catch(() => undefined));
    const type = content ? types[extname(file)] : types[".html"];
    response.writeHead(content ? 200 : 404, { "content-type": type ?? "application/octet-stream" });
    response.end(content ?? (await readFile(join(folder, "404.html")).catch(() => "not found")));
  });
  function fileFor(pathname: string): string | undefined {
    if (!pathname.startsWith(base)) return undefined;
    const inside = normalize(decodeURIComponent(pathname.slice(base.length)));
    if (inside.startsWith("..")) return undefined;
    return join(folder, inside === "." || inside.endsWith("/") ? join(inside, "index.html") : inside);
  }
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${base}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
