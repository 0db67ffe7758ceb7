/** Behaviour of the client that is the same on every flavour of the fake. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, onTestFinished, test } from "vitest";
import { CriError } from "../../src/index.js";
import { fakeFlavors } from "../../src/testing/flavors.js";
import { HostProcessBackend } from "../../src/testing/index.js";
import { skipOnWindows } from "../support/platform.js";
import { rejection, startFake } from "./support.js";

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "every-runtime-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

const spec = { name: "main", image: "busybox:1" };

describe.each(fakeFlavors)("on %s", (flavor) => {
  test.skipIf(skipOnWindows("host processes"))(
    "a container with a missing program rejects with COMMAND_NOT_FOUND and is rolled back",
    async () => {
      const { runtime, cri } = await startFake({ flavor, backend: new HostProcessBackend() });
      const pod = await cri.pods.run({ name: "p" });
      const failure = await rejection(pod.runContainer({ ...spec, command: ["no-such-program"] }));
      const method = flavor === "cri-o" ? /CreateContainer$/ : /StartContainer$/;
      expect(failure).toMatchObject({ code: "COMMAND_NOT_FOUND", method: expect.stringMatching(method) });
      expect(runtime.containers).toEqual([]);
    },
  );

  test("a missing command rejects with COMMAND_NOT_FOUND", async () => {
    const { cri } = await startFake({ flavor });
    const pod = await cri.pods.run({ name: "p" });
    const container = await pod.runContainer(spec);
    const failures = [
      container.execSync(["no-such-program"]),
      ...(["spdy", "websocket"] as const).map((transport) => container.execOutput(["no-such-program"], { transport })),
    ];
    const errors = await Promise.all(failures.map(rejection));
    expect(errors.map((error) => CriError.is(error) && error.code)).toEqual(Array(3).fill("COMMAND_NOT_FOUND"));
  });

  test("data after the end of a terminal's output does not lose the exit code", async () => {
    const exec = () => ({ exitCode: 7, stdout: "bye" });
    const { cri } = await startFake({ flavor, exec });
    const pod = await cri.pods.run({ name: "p" });
    const container = await pod.runContainer(spec);
    await using session = await container.exec(["x"], { transport: "spdy", tty: true });
    expect(await text(session.stdout)).toBe("bye");
    expect(await session.exit).toEqual({ exitCode: 7 });
    expect(session.droppedBytes).toBe(flavor === "cri-o" ? 2 : 0);
  });

  test("a request of 20 MiB succeeds where the runtime accepts it", async () => {
    const { cri } = await startFake({ flavor });
    const listing = cri.containers.list({ labels: { big: "x".repeat(20 * 2 ** 20) } });
    if (flavor === "cri-o") expect(await listing).toEqual([]);
    else {
      const failure = await rejection(listing);
      expect(failure).toMatchObject({ code: "RESOURCE_EXHAUSTED" });
      expect(String(failure)).toContain("the request is larger than the runtime accepts");
    }
  });

  test("reads a container's log in the format of the runtime", async () => {
    const logDirectory = await temporaryFolder();
    const { cri } = await startFake({ flavor, run: () => ({ stdout: "one\ntwo\n", stderr: "oh\n", exitCode: 0 }) });
    const pod = await cri.pods.run({ name: "p", logDirectory });
    const container = await pod.runContainer(spec);
    await container.wait();
    const lines = [];
    for await (const { stream, text } of container.logs()) lines.push(`${stream}: ${text}`);
    expect(lines.sort()).toEqual(["stderr: oh", "stdout: one", "stdout: two"]);
    const [first] = (await readFile((await container.status()).logPath, "utf8")).split("\n");
    expect(first).toMatch(
      flavor === "cri-dockerd" ? /^\{"log":"\w+\\n","stream":"\w+","time":"[^"]+Z"\}$/ : /^\S+Z std\w+ F \w+$/,
    );
  });
});

test("rotateLog() rejects with UNIMPLEMENTED on Docker", async () => {
  const { cri } = await startFake({ flavor: "cri-dockerd" });
  const pod = await cri.pods.run({ name: "p", logDirectory: await temporaryFolder() });
  expect(await rejection((await pod.runContainer(spec)).rotateLog())).toMatchObject({ code: "UNIMPLEMENTED" });
});

test("the error for a relative log path on Docker names the remedy", async () => {
  const { cri } = await startFake({ flavor: "cri-dockerd" });
  const { podSandboxId } = await cri.raw.runtime.runPodSandbox({
    config: { metadata: { name: "p", namespace: "default", uid: "u", attempt: 0 }, logDirectory: "/var/log/pods/p" },
  });
  const own = { ...spec, logPath: "main.log" };
  const container = await cri.runContainerInSandbox(podSandboxId, own, { podConfig: "unknown" });
  expect((await container.status()).logPath).toBe("main.log");
  const failures = [container.logs()[Symbol.asyncIterator]().next(), container.rotateLog()];
  for (const error of await Promise.all(failures.map(rejection))) {
    expect(error).toMatchObject({ code: "FAILED_PRECONDITION" });
    expect(String(error)).toMatch(/its path "main\.log" is relative.*create it with a podConfig that has one/);
  }
});

test.each([
  ["containerd-2", "eth0"],
  ["cri-o", "lo"],
] as const)("the stats of a pod on %s have the default interface %s", async (flavor, name) => {
  const { cri } = await startFake({ flavor });
  const pod = await cri.pods.run({ name: "p", cgroupParent: "/p" });
  expect((await pod.stats()).linux?.network?.defaultInterface?.name).toBe(name);
});
