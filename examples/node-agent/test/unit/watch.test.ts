import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { KubeConfig } from "@kubernetes/client-node";
import { afterEach, expect, test } from "vitest";
import { Api, tasks } from "../../src/api/api.js";
import { statusCode } from "../../src/api/connection.js";
import { Informer } from "../../src/api/informer.js";

const never = { responseMs: 60_000, silenceMs: 60_000 };
const soon = 50;
const close: (() => void)[] = [];
const urls: string[] = [];

afterEach(() => {
  for (const one of close.splice(0)) one();
  urls.splice(0);
});

/** Returns a configuration for a server that answers as the test says. */
async function serve(answer: (response: ServerResponse, url: string) => void): Promise<KubeConfig> {
  const server = createServer(({ url = "" }, response) => {
    urls.push(url);
    answer(response, url);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  close.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  const config = new KubeConfig();
  const { port } = server.address() as AddressInfo;
  config.loadFromClusterAndUser(
    { name: "test", server: `http://127.0.0.1:${port}`, skipTLSVerify: true },
    { name: "test" },
  );
  return config;
}

/** Watches tasks of a server that answers as the test says, and adds what comes to `seen`. */
async function watch(
  answer: (response: ServerResponse) => void,
  limits = never,
  signal = new AbortController().signal,
) {
  const config = await serve(answer);
  const seen: unknown[] = [];
  const options = { namespace: "default", resourceVersion: "7", timeoutSeconds: 300 };
  const ended = (async () => {
    for await (const event of new Api(config, undefined, limits).watch(tasks, options, signal)) seen.push(event);
  })();
  return { seen, ended };
}

const event = (type: string, name: string) => ({ type, object: { metadata: { name } } });

test("a watch reads events, however they are divided, until the server ends it", async () => {
  const events = [event("ADDED", "a"), event("MODIFIED", "ü"), event("BOOKMARK", "")];
  const { seen, ended } = await watch((response) => {
    const bytes = Buffer.from(events.map((one) => `${JSON.stringify(one)}\n`).join(""));
    const middle = bytes.indexOf("ü") + 1;
    response.write(bytes.subarray(0, middle));
    setImmediate(() => response.end(bytes.subarray(middle)));
  });
  await ended;
  expect(seen).toEqual(events);
  expect(urls).toEqual([
    "/apis/nodetask.example.com/v1/namespaces/default/nodetasks" +
      "?resourceVersion=7&timeoutSeconds=300&watch=true&allowWatchBookmarks=true",
  ]);
});

test("a watch fails if the server does not respond, or sends nothing for too long", async () => {
  const silent = /the API server has sent nothing for too long/;
  const { ended } = await watch(() => {}, { ...never, responseMs: soon });
  await expect(ended).rejects.toThrow(silent);
  const opened = await watch((response) => response.write(`${JSON.stringify(event("ADDED", "a"))}\n`), {
    ...never,
    silenceMs: soon,
  });
  await expect(opened.ended).rejects.toThrow(silent);
  expect(opened.seen).toEqual([event("ADDED", "a")]);
});

test("a watch fails with the status of its response, or of an event", async () => {
  const refused = await watch((response) => response.writeHead(403).end(JSON.stringify({ message: "no" })));
  expect(statusCode(await refused.ended.catch((error: unknown) => error))).toBe(403);
  const expired = { type: "ERROR", object: { code: 410, message: "too old" } };
  const { ended } = await watch((response) => response.end(`${JSON.stringify(expired)}\n`));
  expect(statusCode(await ended.catch((error: unknown) => error))).toBe(410);
});

test("a watch fails if the connection is lost, and ends its connection when it is aborted", async () => {
  const lost = await watch((response) => {
    response.write(`${JSON.stringify(event("ADDED", "a"))}\n`, () => response.destroy());
  });
  await expect(lost.ended).rejects.toThrow();
  const stopping = new AbortController();
  let closed: Promise<unknown> | undefined;
  const { ended } = await watch(
    (response) => {
      closed = once(response, "close");
      response.write(`${JSON.stringify(event("ADDED", "a"))}\n`, () => stopping.abort());
    },
    never,
    stopping.signal,
  );
  await expect(ended).rejects.toThrow();
  await closed;
});

test("an informer continues after the last event when a connection is lost, and lists again after 410", async () => {
  const added = { type: "ADDED", object: { metadata: { name: "a", resourceVersion: "8" } } };
  const expired = { type: "ERROR", object: { code: 410, message: "too old" } };
  const versions: (string | null)[] = [];
  const config = await serve((response, url) => {
    const query = new URL(url, "http://localhost").searchParams;
    if (!query.has("watch")) {
      const version = String(7 + versions.length);
      return response.end(JSON.stringify({ items: [], metadata: { resourceVersion: version } }));
    }
    versions.push(query.get("resourceVersion"));
    if (versions.length === 1) response.write(`${JSON.stringify(added)}\n`, () => response.destroy());
    else if (versions.length === 2) response.end(`${JSON.stringify(expired)}\n`);
    else response.flushHeaders();
  });
  const changes: (string | undefined)[] = [];
  const informer = new Informer(new Api(config), tasks, {
    onChange: ({ metadata }) => changes.push(metadata?.name),
    onError: () => {},
  });
  informer.start();
  close.push(() => void informer.stop());
  await expect.poll(() => versions).toEqual(["7", "8", "9"]);
  // The new list does not have the object any more.
  expect(changes).toEqual(["a", "a"]);
  expect(informer.all()).toEqual([]);
});
