/** The memory and the sockets of sessions. */
import { expect, test } from "vitest";
import { thorough } from "../support/thorough.js";
import { eventually, failureOf } from "./helpers/expectations.js";
import { journeys, sh } from "./helpers/journeys.js";

const transports = ["spdy", "websocket"] as const;

// Sockets and memory belong to the test process and do not depend on the runtime. One runtime is enough.
journeys(
  "session-footprint",
  (fixture) => {
    const sockets = () => process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;

    test.each(transports)(
      "%s: a consumer that stops reading pauses the command, and memory does not grow",
      async (transport) => {
        await using container = await fixture.container(await fixture.sharedPod());
        const before = process.memoryUsage();
        const command = sh("dd if=/dev/zero bs=1M count=128 2>/dev/null | tee /dev/null");
        await using session = await container.exec(command, { transport });
        await new Promise((resolve) => session.stdout.once("readable", resolve));
        await new Promise((resolve) => setTimeout(resolve, 500));
        const after = process.memoryUsage();
        expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(8 * 2 ** 20);
        expect(session.stdout.readableLength).toBeLessThan(2 ** 20);
        let length = 0;
        for await (const chunk of session.stdout as AsyncIterable<Buffer>) length += chunk.length;
        expect([length, await session.exit]).toEqual([128 * 2 ** 20, { exitCode: 0 }]);
        expect(process.memoryUsage().arrayBuffers - before.arrayBuffers).toBeLessThan(64 * 2 ** 20);
      },
    );

    test.each(transports)(
      "%s: closing the client closes the socket of a session whose output was never read",
      async (transport) => {
        await using container = await fixture.container(await fixture.sharedPod());
        const before = sockets();
        const cri = fixture.client();
        const session = await cri.containers.get(container.id).exec(sh("head -c 100000 /dev/zero"), { transport });
        expect(await session.exit).toEqual({ exitCode: 0 });
        await cri.close();
        await eventually(sockets, (count) => count === before);
      },
    );

    test.each(transports)(
      "%s: an abort, close() and closing the client each close the session's socket",
      async (transport) => {
        await using container = await fixture.container(await fixture.sharedPod());
        const before = sockets();
        const controller = new AbortController();
        const cri = fixture.client();
        const command = sh("cat /dev/zero");
        const sessions = await Promise.all([
          container.exec(command, { transport, signal: controller.signal, stdin: true }),
          container.exec(command, { transport }),
          cri.containers.get(container.id).exec(command, { transport }),
        ]);
        await Promise.all(sessions.map(({ stdout }) => new Promise((resolve) => stdout?.once("data", resolve))));
        expect(sockets()).toBe(before + 3);
        controller.abort(new Error("enough"));
        await sessions[1]?.close();
        await cri.close();
        const [aborted, closed, clientClosed] = await Promise.all(sessions.map(({ exit }) => failureOf(exit)));
        expect(aborted).toEqual(new Error("enough"));
        expect(closed).toMatchObject({ code: "CANCELLED" });
        expect(clientClosed).toMatchObject({ code: "CLIENT_CLOSED" });
        await eventually(sockets, (count) => count === before);
      },
    );
  },
  { newestOnly: !thorough, sequential: true },
);
