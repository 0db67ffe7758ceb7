import { once } from "node:events";
import { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { openWebSocketRemoteCommand } from "../../../../src/streaming/websocket/remote-command.js";
import { serveSessions } from "./support.js";

const mebibyte = 1 << 20;
const total = 100 * mebibyte;
const streams = { stdin: true, stdout: true, stderr: false, tty: false };

describe("back-pressure", () => {
  test("100 MiB for a slow reader stay with the server", async () => {
    let sent = 0;
    const server = await serveSessions(async (session) => {
      const out = session.writable(1);
      const chunk = Buffer.alloc(32 * 1024);
      for (; sent < total; sent += chunk.length) if (!out.write(chunk)) await once(out, "drain");
      await session.end({ status: "Success" });
    });
    const session = await openWebSocketRemoteCommand(server.url, streams);
    await sleep(500);
    expect(sent, "ahead of a reader that has read nothing").toBeLessThan(20 * mebibyte);
    let [received, lead] = [0, 0];
    const slow = new Writable({
      write(chunk: Buffer, _encoding, callback) {
        received += chunk.length;
        lead = Math.max(lead, sent - received);
        // Slow at times, so that the socket is paused and resumed hundreds of times.
        if (received % (16 * 32 * 1024) < chunk.length) setTimeout(callback, 2);
        else callback();
      },
    });
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    const timer = setInterval(() => {
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }, 5);
    await pipeline(session.stdout!, slow);
    clearInterval(timer);
    expect(received).toBe(total);
    // What the kernel's socket buffers hold is part of it: megabytes on the loopback interface.
    expect(lead).toBeLessThan(20 * mebibyte);
    // Garbage counts too, and newer releases of Node.js let more of it lie.
    expect(most, "more than before, both ends of the connection counted").toBeLessThan(64 * mebibyte);
    expect(await session.status).toEqual({ kind: "exited", exitCode: 0 });
  });

  test("100 MiB for a process that reads nothing stay with the writer", async () => {
    const server = await serveSessions((session) => session.readable(0));
    const session = await openWebSocketRemoteCommand(server.url, streams);
    let written = 0;
    const chunk = Buffer.alloc(mebibyte);
    const writing = (async () => {
      for (; written < total; written += chunk.length) {
        if (!session.stdin!.write(chunk))
          await Promise.race([once(session.stdin!, "drain"), once(session.stdin!, "close")]);
        if (session.stdin!.destroyed) return;
      }
    })().catch(() => {});
    await sleep(500);
    expect(written).toBeLessThan(20 * mebibyte);
    expect(process.memoryUsage().arrayBuffers).toBeLessThan(60 * mebibyte);
    session.destroy();
    await writing;
    expect(session.stdin!.destroyed).toBe(true);
  });

  test("one write of 100 MiB goes out at the pace of the reader, and calls back when it is out", async () => {
    let received = 0;
    const server = await serveSessions(async (session) => {
      for await (const chunk of session.readable(0)) {
        received += chunk.length;
        if (received >= total) break;
      }
      await session.end({ status: "Success" });
    });
    const session = await openWebSocketRemoteCommand(server.url, streams);
    const bytes = Buffer.alloc(total);
    await new Promise((resolve) => session.stdin!.write(bytes, resolve));
    expect(received, "all but what the kernel holds").toBeGreaterThan(total - 20 * mebibyte);
    expect(await session.status).toEqual({ kind: "exited", exitCode: 0 });
    expect(received).toBe(total);
  });
});
