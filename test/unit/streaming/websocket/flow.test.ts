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

describe("backpressure", () => {
  test("leaves most of 100 MiB with the server while the reader is slow", async () => {
    let sent = 0;
    const server = await serveSessions(async (session) => {
      const out = session.writable(1);
      const chunk = Buffer.alloc(32 * 1024);
      for (; sent < total; sent += chunk.length) if (!out.write(chunk)) await once(out, "drain");
      await session.end({ status: "Success" });
    });
    const session = await openWebSocketRemoteCommand(server.url, streams);
    await sleep(500);
    expect(sent, "sent before the reader has read anything").toBeLessThan(20 * mebibyte);
    let [received, lead] = [0, 0];
    const slow = new Writable({
      write(chunk: Buffer, _encoding, callback) {
        received += chunk.length;
        lead = Math.max(lead, sent - received);
        // Slow reads pause and resume the socket hundreds of times.
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
    // This includes the kernel's socket buffers: megabytes on the loopback interface.
    expect(lead).toBeLessThan(20 * mebibyte);
    // It also includes garbage, of which newer releases of Node.js leave more.
    expect(most, "growth of both ends of the connection").toBeLessThan(64 * mebibyte);
    expect(await session.status).toEqual({ kind: "exited", exitCode: 0 });
  });

  test("leaves most of 100 MiB with the writer while the process reads nothing", async () => {
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

  test("sends one write of 100 MiB at the reader's pace and calls back at its end", async () => {
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
    expect(received, "all except the kernel's buffers").toBeGreaterThan(total - 20 * mebibyte);
    expect(await session.status).toEqual({ kind: "exited", exitCode: 0 });
    expect(received).toBe(total);
  });
});
