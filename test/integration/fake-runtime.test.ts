import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { connect as connectSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { ChannelCredentials, type ClientError, createChannel, createClient, Metadata, Status } from "nice-grpc";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  type ContainerEventResponse,
  ContainerEventType,
  ContainerState,
  PodSandboxState,
  RuntimeServiceDefinition,
} from "../../src/proto.js";
import {
  type BackendContainer,
  type ContainerBackend,
  type FakeFlavor,
  FakeRuntime,
  type RpcName,
} from "../../src/testing/index.js";
import { parseEndpoint } from "../../src/transport/endpoint.js";
import { createCertificateAuthority } from "../support/certificates.js";
import { isWindows, skipOnWindows } from "../support/platform.js";
import {
  connect,
  containerConfig,
  createContainer,
  failureOf,
  podConfig,
  runPod,
  start,
  startContainer,
  untilState,
} from "./fake-support.js";

describe("a pod and its containers", () => {
  test("go from creation to removal", async () => {
    const connected = await start();
    const { runtime, fake } = connected;
    const pod = await runPod(connected);
    expect(pod).toMatch(/^[0-9a-f]{64}$/);
    const container = await startContainer(connected, pod);

    const { status } = await runtime.containerStatus({ containerId: container.slice(0, 9) });
    expect(status?.state).toBe(ContainerState.CONTAINER_RUNNING);
    expect(status?.logPath).toBe("/var/log/pods/web/main.log");
    expect(status?.startedAt.greaterThan(status.createdAt)).toBe(true);
    expect(Math.abs(Number(status?.createdAt) / 1e6 - Date.now())).toBeLessThan(5_000);

    await runtime.stopContainer({ containerId: container, timeout: 5 });
    const stopped = (await runtime.containerStatus({ containerId: container })).status;
    expect(stopped).toMatchObject({ state: ContainerState.CONTAINER_EXITED, exitCode: 143, reason: "Error" });
    expect(stopped?.finishedAt.greaterThan(stopped.startedAt)).toBe(true);

    await runtime.removePodSandbox({ podSandboxId: pod });
    expect(fake.pods).toEqual([]);
    expect(fake.containers).toEqual([]);
    expect((await failureOf(runtime.containerStatus({ containerId: container }))).code).toBe(Status.NOT_FOUND);
  });

  test("StopPodSandbox kills the containers and makes the sandbox not ready", async () => {
    const connected = await start();
    const pod = await runPod(connected);
    const container = await startContainer(connected, pod);
    await connected.runtime.stopPodSandbox({ podSandboxId: pod });
    const { status } = await connected.runtime.containerStatus({ containerId: container });
    expect(status).toMatchObject({ state: ContainerState.CONTAINER_EXITED, exitCode: 137 });
    const { items } = await connected.runtime.listPodSandbox({
      filter: { state: { state: PodSandboxState.SANDBOX_NOTREADY } },
    });
    expect(items.map(({ id }) => id)).toEqual([pod]);
  });

  test.each([
    [["true"], 0, "Completed"],
    [["false"], 1, "Error"],
    [["sh", "-c", "sleep 0.02; exit 7"], 7, "Error"],
    [["sleep", "0.02"], 0, "Completed"],
  ])("%j ends with %i", async (command, exitCode, reason) => {
    const connected = await start();
    const container = await startContainer(connected, await runPod(connected), "main", command);
    const status = await untilState(connected, container, ContainerState.CONTAINER_EXITED);
    expect(status).toMatchObject({ exitCode, reason });
  });

  test("a running container is removed by force", async () => {
    const connected = await start();
    const container = await startContainer(connected, await runPod(connected));
    await connected.runtime.removeContainer({ containerId: container });
    expect(connected.fake.containers).toEqual([]);
  });

  test("a container starts once", async () => {
    const connected = await start();
    const containerId = await startContainer(connected, await runPod(connected));
    const error = await failureOf(connected.runtime.startContainer({ containerId }));
    expect(error.code).toBe(Status.UNKNOWN);
    expect(error.details).toContain("container is in CONTAINER_RUNNING state");
  });

  test("a failed start ends the container with StartError", async () => {
    const connected = await start({ run: () => ({ startError: 'exec: "nope": executable file not found in $PATH' }) });
    const containerId = await createContainer(connected, await runPod(connected));
    expect((await failureOf(connected.runtime.startContainer({ containerId }))).details).toContain(
      "not found in $PATH",
    );
    const { status } = await connected.runtime.containerStatus({ containerId });
    expect(status).toMatchObject({ state: ContainerState.CONTAINER_EXITED, exitCode: 128, reason: "StartError" });
    expect(status?.startedAt.isZero()).toBe(true);
  });

  test("a container can use its whole grace period", async () => {
    const connected = await start({
      run: ({ config }) => {
        if (config.metadata?.name === "deaf") return { onSignal: () => "ignore" };
        if (config.metadata?.name === "tidy")
          return { onSignal: async (signal) => (signal === "SIGTERM" ? 0 : "ignore") };
        return undefined;
      },
    });
    const pod = await runPod(connected);
    const exits: Record<string, unknown> = {};
    for (const [name, timeout] of [
      ["deaf", 1],
      ["tidy", 10],
      ["plain", 0],
    ] as const) {
      const containerId = await startContainer(connected, pod, name);
      const begun = Date.now();
      await connected.runtime.stopContainer({ containerId, timeout });
      const { status } = await connected.runtime.containerStatus({ containerId });
      exits[name] = { exitCode: status?.exitCode, waited: Date.now() - begun >= 990 };
    }
    expect(exits).toEqual({
      deaf: { exitCode: 137, waited: true },
      tidy: { exitCode: 0, waited: false },
      plain: { exitCode: 137, waited: false },
    });
  });

  test("a scripted promise decides when a container ends", async () => {
    let end: (code: number) => void = () => {};
    const exitCode = new Promise<number>((resolve) => (end = resolve));
    const connected = await start({ run: () => ({ exitCode, reason: "OOMKilled" }) });
    const container = await startContainer(connected, await runPod(connected));
    await untilState(connected, container, ContainerState.CONTAINER_RUNNING);
    end(137);
    const status = await untilState(connected, container, ContainerState.CONTAINER_EXITED);
    expect(status).toMatchObject({ exitCode: 137, reason: "OOMKilled" });
  });

  test("labels, annotations and the configuration are reported", async () => {
    const { runtime, ...connected } = await start();
    const { podSandboxId } = await runtime.runPodSandbox({
      config: { ...podConfig("web"), annotations: { note: "x" }, hostname: "h" },
    });
    const pod = await runtime.podSandboxStatus({ podSandboxId, verbose: true });
    expect(pod.status).toMatchObject({ labels: { app: "web" }, annotations: { note: "x" }, metadata: { name: "web" } });
    expect(pod.status?.network?.ip).toMatch(/^10\.88\./);
    expect(JSON.parse(pod.info.info as string).config).toMatchObject({ hostname: "h", labels: { app: "web" } });
    const containerId = await startContainer({ ...connected, runtime }, podSandboxId, "main", ["sleep", "60"]);
    const container = await runtime.containerStatus({ containerId, verbose: true });
    const info = JSON.parse(container.info.info as string);
    expect(info).toMatchObject({ sandboxID: podSandboxId, config: { command: ["sleep", "60"], log_path: "main.log" } });
    expect(info.pid).toBeGreaterThan(1);
    expect((await runtime.podSandboxStatus({ podSandboxId })).info).toEqual({});
  });

  test("lists filter by prefixes of ids, labels and states", async () => {
    const connected = await start();
    const { runtime } = connected;
    const [web, db] = [await runPod(connected, "web"), await runPod(connected, "db")];
    const inWeb = await startContainer(connected, web, "a");
    const inDb = await createContainer(connected, db, "b");
    const listed = async (filter: Parameters<typeof runtime.listContainers>[0]["filter"]) =>
      (await runtime.listContainers({ filter })).containers.map(({ id }) => id);
    expect(await listed(undefined)).toEqual([inWeb, inDb]);
    expect(await listed({ id: inDb.slice(0, 12) })).toEqual([inDb]);
    expect(await listed({ podSandboxId: web.slice(0, 12) })).toEqual([inWeb]);
    expect(await listed({ state: { state: ContainerState.CONTAINER_CREATED } })).toEqual([inDb]);
    expect(await listed({ labelSelector: { tier: "a" } })).toEqual([inWeb]);
    expect(await listed({ labelSelector: { tier: "a", more: "x" } })).toEqual([]);
    expect(await listed({ id: "nope" })).toEqual([]);
    const pods = await runtime.listPodSandbox({ filter: { labelSelector: { app: "db" } } });
    expect(pods.items.map(({ id }) => id)).toEqual([db]);
  });

  test("updates resources, except where the update has zeros", async () => {
    const { runtime, ...connected } = await start({ implemented: ["UpdatePodSandboxResources"] });
    const pod = await runPod({ runtime });
    const containerId = await startContainer({ ...connected, runtime }, pod);
    await runtime.updateContainerResources({ containerId, linux: { cpuShares: 512, memoryLimitInBytes: 1 << 26 } });
    await runtime.updateContainerResources({ containerId, linux: { cpuShares: 256 } });
    const { status } = await runtime.containerStatus({ containerId });
    expect(status?.resources?.linux?.cpuShares.toNumber()).toBe(256);
    expect(status?.resources?.linux?.memoryLimitInBytes.toNumber()).toBe(1 << 26);
    await runtime.updatePodSandboxResources({ podSandboxId: pod, resources: { cpuShares: 99 } });
    const { info } = await runtime.podSandboxStatus({ podSandboxId: pod, verbose: true });
    expect(JSON.parse(info.info as string).config.linux.resources.cpu_shares).toBe(99);
  });
});

describe("names", () => {
  test.each([
    ["containerd-1.6", Status.UNKNOWN],
    ["containerd-1.7", Status.UNKNOWN],
    ["containerd-2", Status.FAILED_PRECONDITION],
  ] as const)("are reserved with their attempt on %s", async (flavor, code) => {
    const connected = await start({ flavor });
    const pod = await runPod(connected);
    const again = await failureOf(runPod(connected));
    const name = "web_default_uid-web_0";
    expect(again.code).toBe(code);
    expect(again.details).toBe(`failed to reserve sandbox name "${name}": name "${name}" is reserved for "${pod}"`);
    const container = await createContainer(connected, pod);
    const containerAgain = await failureOf(createContainer(connected, pod));
    expect(containerAgain.code).toBe(code);
    expect(containerAgain.details).toContain(`name "main_web_default_uid-web_0" is reserved for "${container}"`);
    const config = { ...podConfig("web"), metadata: { ...podConfig("web").metadata, attempt: 1 } };
    await connected.runtime.runPodSandbox({ config });
    await connected.runtime.removePodSandbox({ podSandboxId: pod });
    expect(await runPod(connected)).not.toBe(pod);
  });

  test("return the id of the holder on CRI-O", async () => {
    const connected = await start({ flavor: "cri-o" });
    const pod = await runPod(connected);
    expect(await runPod(connected)).toBe(pod);
    expect(await createContainer(connected, pod)).toBe(await createContainer(connected, pod));
  });

  test("are reserved during a creation, and released when it is cancelled", async () => {
    const { fake, runtime, ...rest } = await start();
    fake.delayNext("RunPodSandbox", 60_000, { phase: "duringEffect" });
    const controller = new AbortController();
    const arrived = fake.nextCall("RunPodSandbox");
    const first = runtime.runPodSandbox({ config: podConfig("web") }, { signal: controller.signal });
    const call = await arrived;
    expect((await failureOf(runPod({ runtime }))).details).toContain("is reserved for");
    controller.abort();
    await expect(first).rejects.toThrow(/aborted/);
    await expect.poll(() => call.outcome).toBe("CANCELLED");
    expect(call.cancelled).toBe(true);
    expect(fake.pods).toEqual([]);
    expect(await runPod({ ...rest, runtime })).toBeDefined();
  });

  test("stay reserved on CRI-O after the client cancels, because the creation continues", async () => {
    const { fake, runtime } = await start({ flavor: "cri-o" });
    fake.delayNext("RunPodSandbox", 1_000, { phase: "duringEffect" });
    const arrived = fake.nextCall("RunPodSandbox");
    const controller = new AbortController();
    const aborted = runtime.runPodSandbox({ config: podConfig("web") }, { signal: controller.signal });
    await arrived;
    controller.abort();
    await expect(aborted).rejects.toThrow(/aborted/);
    expect(fake.pods).toEqual([]);
    const arrivedEarly = fake.nextCall("RunPodSandbox");
    const again = new AbortController();
    const early = runtime.runPodSandbox({ config: podConfig("web") }, { signal: again.signal });
    await arrivedEarly;
    again.abort();
    await expect(early).rejects.toThrow(/aborted/);
    await expect.poll(() => fake.pods).toHaveLength(1);
    const late = await runPod({ runtime });
    expect(fake.pods.map(({ id }) => id)).toEqual([late]);
    expect(fake.calls.map(({ cancelled, outcome }) => [cancelled, outcome])).toEqual([
      [true, "OK"],
      [true, "CANCELLED"],
      [false, "OK"],
    ]);
  });
});

describe("missing objects", () => {
  test("cannot be the sandbox or the image of a container", async () => {
    const connected = await start();
    const { runtime } = connected;
    const pod = await runPod(connected);
    expect((await failureOf(createContainer(connected, "nope"))).code).toBe(Status.NOT_FOUND);
    const config = { ...containerConfig("x"), image: { image: "absent:1" } };
    const error = await failureOf(
      runtime.createContainer({ podSandboxId: pod, config, sandboxConfig: podConfig("web") }),
    );
    expect(error.code).toBe(Status.NOT_FOUND);
    expect(error.details).toContain('failed to resolve image "absent:1": not found');
    // The name was released.
    await createContainer(connected, pod, "x");
  });

  test.each([
    ["containerd-1.7", Status.NOT_FOUND, undefined],
    ["containerd-2", undefined, Status.UNKNOWN],
    ["cri-o", Status.UNKNOWN, undefined],
  ] as const)("a stopped sandbox accepts no containers: %s", async (flavor, createCode, startCode) => {
    const connected = await start({ flavor });
    const pod = await runPod(connected);
    await connected.runtime.stopPodSandbox({ podSandboxId: pod });
    if (createCode !== undefined) {
      expect((await failureOf(createContainer(connected, pod))).code).toBe(createCode);
      return;
    }
    const containerId = await createContainer(connected, pod);
    const error = await failureOf(connected.runtime.startContainer({ containerId }));
    expect(error).toMatchObject({ code: startCode, details: `sandbox container "${pod}" is not running` });
  });

  test("CRI-O requires userSpecifiedImage", async () => {
    const connected = await start({ flavor: "cri-o" });
    const podSandboxId = await runPod(connected);
    const config = { ...containerConfig("x"), image: { image: "busybox:1" } };
    const error = await failureOf(
      connected.runtime.createContainer({ podSandboxId, config, sandboxConfig: podConfig("web") }),
    );
    expect(error.details).toContain("user specified image not specified");
  });
});

describe("images", () => {
  test("are pulled, found and removed by all their names", async () => {
    const { images, fake } = await start({ images: [] });
    const { imageRef } = await images.pullImage({ image: { image: "nginx:1" } });
    expect(imageRef).toMatch(/^sha256:[0-9a-f]{64}$/);
    const { image } = await images.imageStatus({ image: { image: "docker.io/library/nginx:1" } });
    expect(image).toMatchObject({ id: imageRef, repoTags: ["docker.io/library/nginx:1"] });
    expect(image?.size.greaterThan(0)).toBe(true);
    await Promise.all([1, 2].map(() => images.pullImage({ image: { image: "nginx:1" } })));
    expect(fake.images).toHaveLength(1);
    const { imageFilesystems } = await images.imageFsInfo({});
    expect(imageFilesystems[0]?.usedBytes?.value.eq(image?.size as never)).toBe(true);
    await images.removeImage({ image: { image: "nginx:1" } });
    expect(fake.images).toEqual([]);
  });

  test("report their configuration in verbose replies", async () => {
    const reference = "demo:1";
    const configuration = {
      entrypoint: ["/init"],
      env: { A: "b" },
      labels: { of: "demo" },
      stopSignal: "SIGINT",
      user: 5,
    };
    const { images } = await start({ images: [{ reference, command: ["serve"], ...configuration }] });
    const { info } = await images.imageStatus({ image: { image: reference }, verbose: true });
    expect(JSON.parse(info.info as string).imageSpec.config).toEqual({
      User: "5",
      Env: ["A=b"],
      Entrypoint: ["/init"],
      Cmd: ["serve"],
      Labels: { of: "demo" },
      StopSignal: "SIGINT",
    });
  });

  test("are listed by filter on CRI-O; containerd ignores the filter", async () => {
    for (const [flavor, count] of [
      ["cri-o", 1],
      ["containerd-2", 2],
    ] as const) {
      const { images } = await start({ flavor, images: ["a:1", "b:1"] });
      const listed = await images.listImages({ filter: { image: { image: "a:1" } } });
      expect(listed.images).toHaveLength(count);
    }
  });

  test("are not pulled if a rule of the registry refuses them", async () => {
    const { images } = await start({
      registry: { "gone:*": "missing", "down.io/*": "unavailable", "private/*": { username: "u", password: "p" } },
    });
    const pull = (image: string, auth?: { username: string; password: string }) =>
      images.pullImage({ image: { image }, auth });
    expect(await failureOf(pull("gone:1"))).toMatchObject({ code: Status.NOT_FOUND });
    expect((await failureOf(pull("down.io/x"))).details).toContain("connection refused");
    expect((await failureOf(pull("private/x"))).details).toContain("authorization failed");
    expect((await failureOf(pull("NOT//valid"))).details).toContain("invalid reference format");
    await pull("private/x", { username: "u", password: "p" });
  });
});

describe("RemoveImage of an image with two tags", () => {
  const digest = `sha256:${"1".repeat(64)}`;

  async function imagesAfterRemovalOf(flavor: FakeFlavor, ...names: string[]) {
    const tagged = ["x/a:1", "x/a:2"].map((reference) => ({ reference, digest }));
    const { images, fake } = await start({ flavor, images: tagged });
    for (const image of names) await images.removeImage({ image: { image } });
    return fake.images.map(({ repoTags }) => repoTags.map((tag) => tag.slice(-1)));
  }

  test.each([
    ["containerd-2", [], []],
    ["cri-o", [["2"]], [["1", "2"]]],
    ["cri-dockerd", [["1", "2"]], [["1", "2"]]],
  ] as const)("has the result of the real runtime on %s, by tag and by digest", async (flavor, byTag, byDigest) => {
    expect(await imagesAfterRemovalOf(flavor, "x/a:1")).toEqual(byTag);
    expect(await imagesAfterRemovalOf(flavor, `x/a@${digest}`)).toEqual(byDigest);
  });

  test("removes the image with its last tag on CRI-O", async () => {
    expect(await imagesAfterRemovalOf("cri-o", "x/a:1", "x/a:2")).toEqual([]);
  });
});

describe("commands", () => {
  test("have the result of a script, or a default one", async () => {
    const { runtime, ...connected } = await start({
      exec: (_container, [program]) => (program === "uname" ? { stdout: "Linux\n", exitCode: 4 } : undefined),
    });
    const containerId = await startContainer({ ...connected, runtime }, await runPod({ runtime }));
    const run = async (...cmd: string[]) => {
      const { exitCode, stdout, stderr } = await runtime.execSync({ containerId, cmd });
      return [exitCode, Buffer.from(stdout).toString(), Buffer.from(stderr).toString()];
    };
    expect(await run("sh", "-c", "echo out; echo err >&2; exit 3")).toEqual([3, "out\n", "err\n"]);
    expect(await run("cat", "/etc/hostname")).toEqual([0, "web\n", ""]);
    expect(await run("uname")).toEqual([4, "Linux\n", ""]);
    expect((await failureOf(run("nonsense"))).details).toContain("executable file not found in $PATH");
  });

  test("that time out have the result of the real runtime", async () => {
    for (const flavor of ["containerd-2", "cri-o"] as const) {
      const { runtime, ...connected } = await start({ flavor });
      const containerId = await startContainer({ ...connected, runtime }, await runPod({ runtime }));
      const call = runtime.execSync({ containerId, cmd: ["sleep", "60"], timeout: 1 });
      if (flavor === "cri-o") {
        const { exitCode, stderr } = await call;
        expect([exitCode, Buffer.from(stderr).toString()]).toEqual([-1, "command timed out"]);
      } else {
        const details = "failed to exec in container: timeout 1s exceeded: context deadline exceeded";
        expect(await failureOf(call)).toMatchObject({ code: Status.DEADLINE_EXCEEDED, details });
      }
    }
  });

  test.each([
    ["containerd-2", "the end of the call"],
    ["cri-o", "only their time limit"],
    ["cri-dockerd", "nothing"],
  ] as const)("on %s, %s kills them", async (flavor, kills) => {
    const ends: string[] = [];
    const caller = new AbortController();
    const { fake, runtime } = await start({
      flavor,
      exec: (_container, [, name = ""], signal) => {
        signal.addEventListener("abort", () => ends.push(name));
        setImmediate(() => caller.abort());
        return undefined;
      },
    });
    const podSandboxId = await runPod({ runtime });
    const config = { ...containerConfig("main"), logPath: "" };
    const sandboxConfig = podConfig("web");
    const { containerId } = await runtime.createContainer({ podSandboxId, config, sandboxConfig });
    await runtime.startContainer({ containerId });
    const aborted = runtime.execSync({ containerId, cmd: ["sleep", "1001"] }, { signal: caller.signal });
    await expect(aborted).rejects.toThrow(/abort/);
    await runtime.execSync({ containerId, cmd: ["sleep", "1002"], timeout: 1 }).catch(() => {});
    const expected = { "the end of the call": ["1001", "1002"], "only their time limit": ["1002"], nothing: [] };
    expect(ends).toEqual(expected[kills]);
    await fake.stop();
  });

  test("require a running container", async () => {
    const { runtime, ...connected } = await start();
    const containerId = await createContainer({ ...connected, runtime }, await runPod({ runtime }));
    const error = await failureOf(runtime.execSync({ containerId, cmd: ["true"] }));
    expect(error.details).toBe("failed to exec in container: container is in CONTAINER_CREATED state");
    expect((await failureOf(runtime.reopenContainerLog({ containerId }))).details).toBe("container is not running");
  });

  test("streaming sessions have the documented URLs", async () => {
    const { runtime, ...connected } = await start();
    const podSandboxId = await runPod({ runtime });
    const containerId = await startContainer({ ...connected, runtime }, podSandboxId);
    const url = (path: string) => new RegExp(`^http://127\\.0\\.0\\.1:\\d+/${path}/[\\w-]{8}$`);
    expect((await runtime.exec({ containerId, cmd: ["sh"], stdout: true })).url).toMatch(url("exec"));
    expect((await runtime.attach({ containerId, stdout: true })).url).toMatch(url("attach"));
    expect((await runtime.portForward({ podSandboxId, port: [80] })).url).toMatch(url("portforward"));
    const call = runtime.exec({ containerId, cmd: ["sh"], tty: true, stderr: true });
    expect((await failureOf(call)).code).toBe(Status.INVALID_ARGUMENT);
  });
});

describe("a custom backend", () => {
  class SlowBackend implements ContainerBackend {
    readonly started: BackendContainer[] = [];
    readonly signals: string[] = [];
    disposed = false;
    go: () => void = () => {};

    async start(container: BackendContainer) {
      this.started.push(container);
      await new Promise<void>((resolve) => (this.go = resolve));
      let end: (end: { exitCode: number }) => void = () => {};
      const ended = new Promise<{ exitCode: number }>((resolve) => (end = resolve));
      const signal = (name: string) => {
        this.signals.push(name);
        end({ exitCode: 42 });
      };
      return { pid: 77, ended, signal };
    }

    async execSync(container: BackendContainer, command: readonly string[]) {
      return {
        exitCode: 0,
        stdout: Buffer.from(`${container.config.metadata?.name}: ${command}`),
        stderr: Buffer.of(),
      };
    }

    dispose() {
      this.disposed = true;
    }
  }

  test("runs the containers", async () => {
    const backend = new SlowBackend();
    const { fake, runtime } = await start({ backend });
    const podSandboxId = await runPod({ runtime });
    const containerId = await createContainer({ runtime }, podSandboxId, "main", ["serve"]);
    const starting = runtime.startContainer({ containerId });
    await expect.poll(() => backend.started.length).toBe(1);
    expect(backend.started[0]).toMatchObject({ id: containerId, podId: podSandboxId, command: ["serve"] });
    expect((await failureOf(runtime.startContainer({ containerId }))).details).toContain("already in starting state");
    expect((await failureOf(runtime.removeContainer({ containerId }))).details).toContain("is in starting state");
    backend.go();
    await starting;
    const { stdout } = await runtime.execSync({ containerId, cmd: ["a", "b"] });
    expect(Buffer.from(stdout).toString()).toBe("main: a,b");
    await runtime.stopContainer({ containerId, timeout: 5 });
    expect(backend.signals[0]).toBe("SIGTERM");
    expect((await runtime.containerStatus({ containerId })).status?.exitCode).toBe(42);
    await fake.stop();
    expect(backend.disposed).toBe(true);
  });

  test("is asked to stop its processes when the sandbox is removed", async () => {
    const backend = new SlowBackend();
    const { runtime } = await start({ backend });
    const podSandboxId = await runPod({ runtime });
    const containerId = await createContainer({ runtime }, podSandboxId);
    const starting = runtime.startContainer({ containerId });
    await expect.poll(() => backend.started.length).toBe(1);
    await runtime.stopPodSandbox({ podSandboxId });
    backend.go();
    await starting;
    await untilState({ runtime }, containerId, ContainerState.CONTAINER_EXITED);
    expect(backend.signals).toEqual(["SIGKILL"]);
  });
});

describe("events", () => {
  test("report sandboxes and containers", async () => {
    const { fake, runtime, ...connected } = await start();
    const controller = new AbortController();
    const events: ContainerEventResponse[] = [];
    const reading = (async () => {
      for await (const event of runtime.getContainerEvents({}, { signal: controller.signal })) events.push(event);
    })();
    await expect.poll(() => fake.eventSubscribers).toBe(1);
    const pod = await runPod({ runtime });
    const containerId = await startContainer({ ...connected, runtime }, pod);
    await runtime.stopContainer({ containerId, timeout: 1 });
    await runtime.removeContainer({ containerId });
    await runtime.removePodSandbox({ podSandboxId: pod });
    fake.emit({ containerId: "made up", containerEventType: ContainerEventType.CONTAINER_STOPPED_EVENT });
    await expect.poll(() => events.length).toBe(9);
    const short = events.map((event) => {
      const who = event.containerId === pod ? "pod" : event.containerId === containerId ? "container" : "other";
      return `${who} ${ContainerEventType[event.containerEventType].replace(/CONTAINER_|_EVENT/g, "")}`;
    });
    expect(short).toEqual([
      "pod CREATED",
      "pod STARTED",
      "container CREATED",
      "container STARTED",
      "container STOPPED",
      "container DELETED",
      "pod STOPPED",
      "pod DELETED",
      "other STOPPED",
    ]);
    expect(events[4]?.containersStatuses[0]).toMatchObject({ id: containerId, exitCode: 143 });
    controller.abort();
    await expect(reading).rejects.toThrow(/aborted/);
    await expect.poll(() => fake.eventSubscribers).toBe(0);
  });

  test("are disabled on CRI-O, and not implemented on containerd 1.6", async () => {
    const read = async (flavor: FakeFlavor) => {
      const { runtime } = await start({ flavor });
      for await (const _ of runtime.getContainerEvents({})) expect.unreachable();
    };
    await read("cri-o");
    expect((await failureOf(read("containerd-1.6"))).code).toBe(Status.UNIMPLEMENTED);
  });
});

describe("statistics", () => {
  test("change over time", async () => {
    const { runtime, ...connected } = await start({ implemented: "all" });
    const config = { ...podConfig("web"), linux: { cgroupParent: "/web" } };
    const { podSandboxId } = await runtime.runPodSandbox({ config });
    const containerId = await startContainer({ ...connected, runtime }, podSandboxId);
    const cpu = async () => (await runtime.containerStats({ containerId })).stats?.cpu?.usageCoreNanoSeconds?.value;
    const first = await cpu();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await cpu())?.greaterThan(first as never)).toBe(true);
    const { stats } = await runtime.podSandboxStats({ podSandboxId });
    expect(stats?.linux?.containers).toHaveLength(1);
    expect((await runtime.listContainerStats({ filter: { podSandboxId } })).stats).toHaveLength(1);
    expect((await runtime.listPodSandboxStats({ filter: { labelSelector: { app: "no" } } })).stats).toEqual([]);
    const { descriptors } = await runtime.listMetricDescriptors({});
    const { podMetrics } = await runtime.listPodSandboxMetrics({});
    const named = podMetrics.flatMap((pod) => [...pod.metrics, ...pod.containerMetrics.flatMap((c) => c.metrics)]);
    expect(named.length).toBeGreaterThan(2);
    for (const metric of named) {
      const descriptor = descriptors.find(({ name }) => name === metric.name);
      expect(descriptor?.labelKeys).toHaveLength(metric.labelValues.length);
    }
    await runtime.stopContainer({ containerId });
    expect((await failureOf(runtime.containerStats({ containerId }))).details).toBe("unexpected metrics response: []");
  });

  test.each([
    ["containerd-1.6", 2],
    ["containerd-1.7", 2],
    ["containerd-2", 2],
    ["cri-o", 0],
  ] as const)("on %s, a pod without a cgroup parent makes %i calls fail", async (flavor, failures) => {
    const { runtime } = await start({ flavor });
    const podSandboxId = await runPod({ runtime });
    const measured = runtime.runPodSandbox({ config: { ...podConfig("b"), linux: { cgroupParent: "/b" } } });
    await runtime.podSandboxStats({ podSandboxId: (await measured).podSandboxId });
    const calls = [runtime.podSandboxStats({ podSandboxId }), runtime.listPodSandboxStats({})];
    const refused = (await Promise.allSettled(calls)).filter(({ status }) => status === "rejected");
    expect(refused).toHaveLength(failures);
    for (const { reason } of refused as PromiseRejectedResult[]) {
      expect(reason.details).toMatch(new RegExp(`${podSandboxId} because cgroupPath is empty$`));
    }
  });

  test("the runtime reports its version, status and handlers", async () => {
    const { runtime } = await start({ runtimeHandlers: ["runc", "crun"], version: { runtimeVersion: "9.9" } });
    expect(await runtime.version({})).toEqual({
      version: "0.1.0",
      runtimeName: "containerd",
      runtimeVersion: "9.9",
      runtimeApiVersion: "v1",
    });
    const { status, runtimeHandlers, features } = await runtime.status({ verbose: true });
    expect(status?.conditions.filter((condition) => condition.status).map(({ type }) => type)).toEqual(
      expect.arrayContaining(["RuntimeReady", "NetworkReady"]),
    );
    expect(runtimeHandlers.map(({ name }) => name)).toEqual(["", "runc", "crun"]);
    expect(features?.supplementalGroupsPolicy).toBe(true);
    await runtime.updateRuntimeConfig({ runtimeConfig: { networkConfig: { podCidr: "10.1.0.0/16" } } });
    expect((await runtime.status({ verbose: true })).info.config).toContain("10.1.0.0/16");
    await runtime.runPodSandbox({ config: podConfig("a"), runtimeHandler: "crun" });
    const wrong = await failureOf(runtime.runPodSandbox({ config: podConfig("b"), runtimeHandler: "nope" }));
    expect(wrong.details).toContain('no runtime for "nope" is configured');
  });
});

describe("RPCs", () => {
  test("all 43 are handled", async () => {
    const { fake, runtime, images } = await start({ implemented: "all" });
    const skip = new Set(["getContainerEvents"]);
    for (const client of [runtime, images] as unknown as Record<string, (request: object) => unknown>[]) {
      for (const [method, call] of Object.entries(client)) {
        if (skip.has(method)) continue;
        try {
          const answer = call({});
          if (answer instanceof Promise) await answer;
          else for await (const _ of answer as AsyncIterable<unknown>);
        } catch (error) {
          expect([method, (error as ClientError).code]).not.toEqual([method, Status.UNIMPLEMENTED]);
        }
      }
    }
    expect(new Set(fake.calls.map((call) => call.rpc)).size).toBe(42);
  });

  test.each([
    ["containerd-1.6", "unknown method RuntimeConfig for service runtime.v1.RuntimeService"],
    ["containerd-1.7", "method RuntimeConfig not implemented"],
  ] as const)("that the runtime lacks are UNIMPLEMENTED: %s", async (flavor, details) => {
    const { runtime } = await start({ flavor });
    expect(await failureOf(runtime.runtimeConfig({}))).toMatchObject({ code: Status.UNIMPLEMENTED, details });
  });

  test("can be disabled and enabled", async () => {
    const { runtime } = await start({ unimplemented: ["Status"], implemented: ["StreamContainers"] });
    expect((await failureOf(runtime.status({}))).code).toBe(Status.UNIMPLEMENTED);
    for await (const _ of runtime.streamContainers({})) expect.unreachable();
    await expect(FakeRuntime.start({ unimplemented: ["Sttaus" as RpcName] })).rejects.toThrow(/did you mean "Status"/);
  });

  test("lists stream in batches", async () => {
    const connected = await start({ implemented: "all", streamBatchSize: 2 });
    for (const name of ["a", "b", "c", "d", "e"]) await runPod(connected, name);
    const sizes: number[] = [];
    for await (const { podSandboxes } of connected.runtime.streamPodSandboxes({})) sizes.push(podSandboxes.length);
    expect(sizes).toEqual([2, 2, 1]);
    expect(connected.fake.callsOf("StreamPodSandboxes")[0]?.messagesSent).toBe(3);
  });

  test("a server without CRI fails with UNIMPLEMENTED", async () => {
    const { runtime, fake } = await start({ serveCri: false });
    const error = await failureOf(runtime.version({}));
    const details = "unknown service runtime.v1.RuntimeService";
    expect(error).toMatchObject({ code: Status.UNIMPLEMENTED, details });
    expect(fake.calls).toEqual([]);
  });

  test("messages beyond the limit are rejected in both directions", async () => {
    const { runtime, ...connected } = await start({ maxMessageBytes: 20_000 });
    const labels = { long: "x".repeat(30_000) };
    const error = await failureOf(runtime.runPodSandbox({ config: { ...podConfig("a"), labels } }));
    expect(error.code).toBe(Status.RESOURCE_EXHAUSTED);
    expect(error.details).toMatch(/received message larger than max \(\d+ vs\. 20000\)/);
    for (let index = 0; index < 200; index++) await runPod({ ...connected, runtime }, `p${index}`);
    const reply = await failureOf(runtime.listPodSandbox({}));
    expect(reply.details).toMatch(/trying to send message larger than max/);
  });

  test("pods are checkpointed and restored", async () => {
    const { runtime, fake, ...connected } = await start({ implemented: "all" });
    const podSandboxId = await runPod({ runtime });
    const containerId = await startContainer({ ...connected, runtime }, podSandboxId);
    const metadata = Metadata({ "grpc-timeout": "5S" });
    await runtime.checkpointContainer({ containerId, location: "/c.tar" });
    expect((await failureOf(runtime.checkpointPod({ podSandboxId, outputPath: "/p" }))).code).toBe(
      Status.INVALID_ARGUMENT,
    );
    await runtime.checkpointPod({ podSandboxId, outputPath: "/p" }, { metadata });
    await runtime.removePodSandbox({ podSandboxId });
    const restored = await runtime.restorePod({ checkpointPath: "/p" }, { metadata });
    expect(fake.pods.map(({ id }) => id)).toEqual([restored.podSandboxId]);
    const [container] = restored.restoredContainers;
    const { status } = await runtime.containerStatus({ containerId: container?.containerId as string });
    expect(status).toMatchObject({ state: ContainerState.CONTAINER_RUNNING, metadata: { name: "main" } });
    expect((await failureOf(runPod({ runtime }))).details).toContain("is reserved for");
  });
});

describe("calls", () => {
  test("are recorded with metadata, deadline and outcome", async () => {
    const { fake, runtime } = await start();
    const before = Date.now();
    const metadata = Metadata({ "x-trace": "abc", "grpc-timeout": "5000m", "x-bytes-bin": new Uint8Array([1, 2]) });
    await runtime.version({ version: "v1" }, { metadata });
    const [call] = fake.callsOf("Version");
    expect(call).toMatchObject({
      rpc: "Version",
      request: { version: "v1" },
      outcome: "OK",
      grpcTimeout: "5000m",
      connection: 1,
      cancelled: false,
      messagesSent: 1,
    });
    expect(call?.metadata["x-trace"]).toBe("abc");
    expect(call?.metadata["x-bytes-bin"]).toEqual(Buffer.from([1, 2]));
    expect(call?.deadline?.getTime()).toBeGreaterThanOrEqual(before + 5_000);
    expect(call?.endedAt?.getTime()).toBeGreaterThanOrEqual(call?.startedAt.getTime() as number);
    fake.clearCalls();
    expect(fake.calls).toEqual([]);
  });

  test("keep credentials but do not print them", async () => {
    const { fake, images } = await start();
    const auth = { username: "u", password: "hunter2", auth: "aHVudGVy" };
    const metadata = Metadata({ authorization: "Bearer hunter2" });
    await images.pullImage({ image: { image: "x:1" }, auth }, { metadata });
    const [call] = fake.callsOf("PullImage");
    expect(call?.request.auth).toMatchObject(auth);
    expect(call?.metadata.authorization).toBe("Bearer hunter2");
    for (const shown of [fake.calls, call, call?.request, call?.request.auth, call?.metadata]) {
      expect(inspect(shown, { depth: 9 })).not.toMatch(/hunter2|aHVudGVy/);
    }
  });

  test("can be awaited", async () => {
    const { fake, runtime } = await start();
    const next = fake.nextCall("Version", ({ version }) => version === "2");
    await runtime.version({ version: "1" });
    await runtime.version({ version: "2" });
    expect((await next).request.version).toBe("2");
    expect(() => fake.nextCall("version" as RpcName)).toThrow(/did you mean "Version"/);
  });

  test("report that a client cancelled", async () => {
    const { fake, runtime } = await start();
    fake.hangNext("Version");
    const controller = new AbortController();
    const next = fake.nextCall("Version");
    const answer = runtime.version({}, { signal: controller.signal });
    const call = await next;
    expect(call.outcome).toBeUndefined();
    controller.abort();
    await expect(answer).rejects.toThrow(/aborted/);
    await expect.poll(() => call.outcome).toBe("CANCELLED");
    expect(call.cancelled).toBe(true);
  });
});

/** Counts the handles, requests and timers that keep the process alive, by kind. */
function resources(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

describe("the process", () => {
  test("leaves a socket that refuses connections when it is killed, and keeps its state when it restarts", async () => {
    const { fake, runtime } = await start();
    const pod = await runPod({ runtime });
    const containerId = await startContainer({ runtime }, pod);
    await fake.kill();
    const { path } = parseEndpoint(fake.endpoint) as { path: string };
    if (!isWindows) expect((await stat(path)).isSocket()).toBe(true);
    const refusal = await new Promise<NodeJS.ErrnoException>((resolve) => connectSocket(path).once("error", resolve));
    // A named pipe ends with its process.
    expect(refusal.code).toBe(isWindows ? "ENOENT" : "ECONNREFUSED");
    expect((await failureOf(runtime.version({}))).code).toBe(Status.UNAVAILABLE);
    await fake.restart();
    const again = connect(fake.endpoint);
    const { status } = await again.runtime.containerStatus({ containerId });
    expect(status?.state).toBe(ContainerState.CONTAINER_RUNNING);
    await again.runtime.stopContainer({ containerId, timeout: 0 });
    expect((await again.runtime.containerStatus({ containerId })).status?.exitCode).toBe(137);
  });

  test("accepts calls while it is frozen, and handles them after the thaw", async () => {
    const { fake, runtime } = await start();
    await runtime.version({});
    fake.freeze();
    const version = runtime.version({});
    await expect(runtime.status({}, { signal: AbortSignal.timeout(100) })).rejects.toThrow(/aborted/);
    await expect(connect(fake.endpoint).runtime.version({}, { signal: AbortSignal.timeout(100) })).rejects.toThrow();
    expect(fake.calls).toHaveLength(1);
    fake.thaw();
    expect((await version).runtimeName).toBe("containerd");
    fake.freeze();
    await fake.restart();
    await connect(fake.endpoint).runtime.version({});
  });

  test("fails a call during which it restarts, and releases the name", async () => {
    const { fake, runtime } = await start({ flavor: "cri-o" });
    fake.hangNext("RunPodSandbox", { phase: "duringEffect" });
    const arrived = fake.nextCall("RunPodSandbox");
    const creation = runPod({ runtime });
    await arrived;
    const failed = failureOf(creation);
    await fake.restart();
    expect((await failed).code).toBe(Status.UNAVAILABLE);
    expect(fake.pods).toEqual([]);
    await runPod(connect(fake.endpoint));
  });

  test("can lose its containers or its state in a restart", async () => {
    const { fake, runtime } = await start({ seed: 1 });
    const pod = await runPod({ runtime });
    const containerId = await startContainer({ runtime }, pod);
    await fake.restart({ containers: "lost" });
    const { status } = await connect(fake.endpoint).runtime.containerStatus({ containerId });
    expect(status).toMatchObject({ state: ContainerState.CONTAINER_EXITED, exitCode: 255, reason: "Unknown" });
    expect(fake.pods.map(({ state }) => state)).toEqual([PodSandboxState.SANDBOX_NOTREADY]);
    await fake.restart({ keepState: false });
    expect([fake.pods, fake.containers]).toEqual([[], []]);
    expect(fake.images).toHaveLength(1);
    expect(await runPod(connect(fake.endpoint))).not.toBe(pod);
  });

  test("leaves nothing when it is stopped", async () => {
    const before = resources();
    const fake = await FakeRuntime.start({ images: ["busybox:1"] });
    const { runtime, channel } = connect(fake.endpoint);
    const pod = await runPod({ runtime });
    await startContainer({ runtime }, pod, "a", ["sleep", "1000"]);
    fake.delayNext("Version", 60_000);
    fake.hangNext("Status");
    const open = [
      runtime.version({}),
      runtime.status({}),
      runtime.execSync({ containerId: fake.containers[0]?.id as string, cmd: ["sleep", "99"] }),
    ];
    const events = (async () => {
      for await (const _ of runtime.getContainerEvents({}));
    })();
    const outcomes = Promise.allSettled([...open, events]);
    await expect.poll(() => fake.calls.filter((call) => !call.outcome).length).toBe(4);
    await fake.stop();
    await fake.stop();
    expect((await outcomes).map(({ status }) => status)).toEqual(Array(4).fill("rejected"));
    channel.close();
    if (!isWindows) await expect(stat(fake.endpoint.slice("unix://".length))).rejects.toThrow(/ENOENT/);
    await expect
      .poll(() => Object.entries(resources()).filter(([kind, count]) => count > (before[kind] ?? 0)))
      .toEqual([]);
    await expect(fake.restart()).rejects.toThrow(/was stopped/);
  });

  test.skipIf(skipOnWindows("sockets in the file system"))("replaces a stale socket, and nothing else", async () => {
    const folder = await mkdtemp(join(tmpdir(), "cri-test-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const path = join(folder, "cri.sock");
    const first = await FakeRuntime.start({ endpoint: path });
    expect(first.endpoint).toBe(`unix://${path}`);
    await first.kill();
    const { runtime } = await start({ endpoint: `unix://${path}` });
    await runtime.version({});
    const file = join(folder, "precious");
    await writeFile(file, "data");
    await expect(FakeRuntime.start({ endpoint: file })).rejects.toThrow(/is not a socket/);
    expect(await readdir(folder)).toEqual(["cri.sock", "precious"]);
    await expect(FakeRuntime.start({ endpoint: "relative/path" })).rejects.toThrow(/endpoint: expected/);
    await expect(FakeRuntime.start({ endpoint: `/${"x".repeat(200)}` })).rejects.toThrow(/is 201 bytes long/);
  });

  test("listens on TCP and keeps the port", async () => {
    const { fake, runtime } = await start({ endpoint: "http://127.0.0.1:0" });
    expect(fake.endpoint).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d+$/);
    await runtime.version({});
    const { endpoint } = fake;
    await fake.restart();
    expect(fake.endpoint).toBe(endpoint);
    await connect(endpoint).runtime.version({});
  });

  test("uses TLS, and requires client certificates only with clientCa", async () => {
    const authority = await createCertificateAuthority();
    const server = await authority.issue({ names: ["127.0.0.1", "localhost"] });
    const client = await authority.issue();
    const endpoint = "https://127.0.0.1:0";
    const { fake } = await start({ endpoint, tls: { ...server, clientCa: authority.cert } });
    expect(fake.endpoint).toMatch(/^https:/);
    const pem = (text: string) => Buffer.from(text);
    const version = (credentials: ChannelCredentials) => {
      // By name, because grpc-js cannot dial an IP address with TLS on Node.js 26.
      const channel = createChannel(fake.endpoint.replace("127.0.0.1", "localhost"), credentials);
      onTestFinished(() => channel.close());
      return createClient(RuntimeServiceDefinition, channel).version({});
    };
    const known = ChannelCredentials.createSsl(pem(authority.cert), pem(client.key), pem(client.cert));
    expect((await version(known)).runtimeName).toBe("containerd");
    const unknown = ChannelCredentials.createSsl(pem(authority.cert));
    expect((await failureOf(version(unknown))).code).toBe(Status.UNAVAILABLE);
    await expect(FakeRuntime.start({ tls: server })).rejects.toThrow(/requires a TCP endpoint/);
  });

  test("several run at once, with the same ids for the same seed", async () => {
    const fakes = await Promise.all([start({ seed: "s" }), start({ seed: "s" }), start({ seed: "t" })]);
    const ids = await Promise.all(fakes.map((connected) => runPod(connected)));
    expect(ids[0]).toBe(ids[1]);
    expect(ids[0]).not.toBe(ids[2]);
    expect(new Set(fakes.map(({ fake }) => fake.endpoint)).size).toBe(3);
  });
});
