/** Port forwarding through the runtime, over both wire protocols. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { eventually, expectCode } from "./helpers/expectations.js";
import { folder } from "./helpers/folder.js";
import { type Fixture, journeys, sh } from "./helpers/journeys.js";
import { freePort } from "./lab/registry.js";

const transports = ["spdy", "websocket"] as const;

/** Runs a pod with its own network and a web server, and waits until the server responds. */
async function server(fixture: Fixture) {
  const port = await freePort();
  const at = await folder();
  const pod = await fixture.pod();
  const command = sh(`echo hello > hello && exec httpd -f -p ${port} -h ${at.path}`);
  const container = await fixture.container(pod, { ...at.inside, command });
  const dispose = async () => {
    await pod[Symbol.asyncDispose]();
    await at[Symbol.asyncDispose]();
  };
  await using listener = await pod.portForward(port).listen();
  await eventually(
    () => get(listener.address.port, "/hello").catch(String),
    (reply) => reply === "hello\n",
  );
  return { pod, container, port, [Symbol.asyncDispose]: dispose };
}

const get = async (port: number, path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).text();

journeys("port-forward", (fixture) => {
  test.each(transports)("%s: a listener forwards many parallel connections", async (transport) => {
    await using web = await server(fixture);
    await using forward = web.pod.portForward(web.port, { transport });
    await using listener = await forward.listen();
    const failures: unknown[] = [];
    listener.on("connectionError", (error) => failures.push(error));
    const count = transport === "spdy" ? 100 : 30;
    const replies = await Promise.all(Array.from({ length: count }, () => get(listener.address.port, "/hello")));
    expect(replies.filter((reply) => reply !== "hello\n")).toEqual([]);
    expect(failures).toEqual([]);
  });

  test.each(transports)(
    "%s: a server that closes first and a client that closes later cause no error",
    async (transport) => {
      await using web = await server(fixture);
      await using listener = await web.pod.portForward(web.port, { transport }).listen();
      const failures: unknown[] = [];
      listener.on("connectionError", (error) => failures.push(error));
      const replies = Array.from({ length: 10 }, async () => {
        const socket = connect({ port: listener.address.port, host: "127.0.0.1", allowHalfOpen: true });
        socket.write("GET /hello HTTP/1.0\r\n\r\n");
        // containerd 1.6 forwards the end of the response only after the end of the request.
        setTimeout(() => socket.end(), 1_500);
        return text(socket);
      });
      for (const reply of await Promise.all(replies)) expect(reply).toMatch(/hello\n$/);
      expect(failures).toEqual([]);
    },
  );

  test("an abort closes listeners and connections, and rejects pending ones", async () => {
    await using web = await server(fixture);
    const controller = new AbortController();
    const forward = web.pod.portForward(web.port, { signal: controller.signal });
    const listener = await forward.listen({ signal: new AbortController().signal });
    const stream = await forward.connect();
    const ended = [once(listener, "close"), once(stream.resume(), "error"), forward.listen().catch((error) => error)];
    controller.abort(new Error("enough"));
    expect((await Promise.all(ended)).slice(1)).toEqual([[controller.signal.reason], controller.signal.reason]);
    await expect(get(listener.address.port, "/hello")).rejects.toThrow();
  });

  test("forwards a large download completely", async () => {
    await using web = await server(fixture);
    const mebibytes = fixture.scaledMebibytes(256);
    const createFile = `dd if=/dev/urandom of=big bs=1M count=${mebibytes} 2>/dev/null; sha256sum big`;
    const sum = (await web.container.execSync(sh(createFile))).stdout;
    await using listener = await web.pod.portForward(web.port).listen();
    const response = await fetch(`http://127.0.0.1:${listener.address.port}/big`);
    const hash = createHash("sha256");
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) hash.update(chunk);
    expect(hash.digest("hex")).toBe(sum.split(" ")[0]);
  });

  test("connect() opens a connection without a listener, and rejects if nothing listens on the port", async () => {
    await using web = await server(fixture);
    await using forward = web.pod.portForward([web.port, 9]);
    const stream = await forward.connect();
    // containerd 1.6 forwards the end of the response only after the end of the request.
    stream.end("GET /hello HTTP/1.0\r\n\r\n");
    expect(await text(stream)).toMatch(/hello\n$/);
    const failure = await forward
      .connect(9)
      .then((stream) => new Promise((_, reject) => stream.on("error", reject).resume()))
      .catch((error: unknown) => error);
    expect(String(failure)).toMatch(/port 9/);
    await expectCode(forward.connect(81), "INVALID_INPUT");
  });

  test("a listener keeps working after failed connections and a restart of the server", async () => {
    await using web = await server(fixture);
    await using listener = await web.pod.portForward(web.port).listen();
    const failures: unknown[] = [];
    listener.on("connectionError", (error) => failures.push(error));
    expect(await get(listener.address.port, "/hello")).toBe("hello\n");
    await web.container.stop({ gracePeriodSeconds: 0 });
    await new Promise<void>((resolve) =>
      connect(listener.address.port, "127.0.0.1")
        .on("error", () => {})
        .once("close", () => resolve()),
    );
    await eventually(
      () => failures.length,
      (count) => count > 0,
    );
    await web.container.restart({ gracePeriodSeconds: 0 });
    const again = () => get(listener.address.port, "/hello").catch(String);
    await eventually(again, (reply) => reply === "hello\n");
  });
});
