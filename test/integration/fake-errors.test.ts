/**
 * The errors of each flavour for objects that are missing, do not run or cannot be executed. CRI-O's and Docker's were recorded
 * from CRI-O 1.37 and from cri-dockerd with Docker 26.1.
 *
 * @module
 */
import { Status } from "nice-grpc";
import { describe, expect, test } from "vitest";
import { ContainerState } from "../../src/proto.js";
import type { FakeFlavor } from "../../src/testing/index.js";
import {
  containerConfig,
  createContainer,
  failureOf,
  podConfig,
  runPod,
  start,
  startContainer,
} from "./fake-support.js";

const none = { containerId: "nope", podSandboxId: "nope", cmd: ["true"], stdout: true };

type Answer = readonly [code: keyof typeof Status, details: string] | "OK";

const lookups = [
  "containerStatus",
  "startContainer",
  "execSync",
  "exec",
  "attach",
  "containerStats",
  "updateContainerResources",
  "podSandboxStatus",
  "portForward",
  "stopContainer",
  "stopPodSandbox",
  "removeContainer",
  "removePodSandbox",
] as const;

const inContainerd = {
  containerStatus: ["NOT_FOUND", 'an error occurred when try to find container "nope": not found'],
  startContainer: ["NOT_FOUND", 'an error occurred when try to find container "nope": not found'],
  execSync: ["NOT_FOUND", 'failed to exec in container: failed to find container "nope" in store: not found'],
  exec: ["NOT_FOUND", 'failed to find container "nope" in store: not found'],
  attach: ["NOT_FOUND", "failed to find container in store: not found"],
  containerStats: ["NOT_FOUND", "failed to find container: not found"],
  updateContainerResources: ["NOT_FOUND", "failed to find container: not found"],
  podSandboxStatus: ["NOT_FOUND", "an error occurred when try to find sandbox: not found"],
  portForward: ["NOT_FOUND", 'failed to find sandbox "nope": not found'],
  stopContainer: "OK",
  stopPodSandbox: "OK",
  removeContainer: "OK",
  removePodSandbox: "OK",
} satisfies Record<(typeof lookups)[number], Answer>;

const crioMissing = "container with ID starting with nope not found: ID does not exist";
const dockerMissing = "Error response from daemon: No such container: nope";
const dockerLog = `failed to get container "nope" log path: failed to inspect container "nope": ${dockerMissing}`;

const missing: Record<FakeFlavor, Record<(typeof lookups)[number], Answer>> = {
  "containerd-1.6": {
    ...inContainerd,
    stopContainer: ["NOT_FOUND", 'an error occurred when try to find container "nope": not found'],
    stopPodSandbox: ["NOT_FOUND", 'an error occurred when try to find sandbox "nope": not found'],
  },
  "containerd-1.7": inContainerd,
  "containerd-2": inContainerd,
  "cri-o": {
    containerStatus: ["NOT_FOUND", `could not find container "nope": ${crioMissing}`],
    startContainer: ["NOT_FOUND", `could not find container "nope": ${crioMissing}`],
    execSync: ["NOT_FOUND", `could not find container "nope": ${crioMissing}`],
    exec: ["UNKNOWN", `could not find container "nope": ${crioMissing}`],
    attach: ["UNKNOWN", `could not find container "nope": ${crioMissing}`],
    containerStats: ["UNKNOWN", crioMissing],
    updateContainerResources: ["UNKNOWN", crioMissing],
    podSandboxStatus: [
      "NOT_FOUND",
      'could not find pod "nope": PodSandbox with ID starting with nope not found: ID does not exist',
    ],
    portForward: "OK",
    stopContainer: "OK",
    stopPodSandbox: "OK",
    removeContainer: "OK",
    removePodSandbox: "OK",
  },
  "cri-dockerd": {
    containerStatus: ["UNKNOWN", dockerMissing],
    startContainer: ["UNKNOWN", dockerLog],
    execSync: ["UNKNOWN", dockerMissing],
    exec: ["UNKNOWN", dockerMissing],
    attach: ["UNKNOWN", dockerMissing],
    containerStats: ["UNKNOWN", "container with id nope not found"],
    updateContainerResources: ["UNKNOWN", `failed to update container "nope": ${dockerMissing}`],
    podSandboxStatus: ["UNKNOWN", dockerMissing],
    portForward: ["UNKNOWN", dockerMissing],
    stopContainer: ["NOT_FOUND", dockerMissing],
    stopPodSandbox: "OK",
    removeContainer: ["UNKNOWN", dockerLog],
    removePodSandbox: "OK",
  },
};

const flavors = Object.keys(missing) as FakeFlavor[];

test.each(flavors)("an id that does not exist: %s", async (flavor) => {
  const { runtime } = await start({ flavor });
  for (const rpc of lookups) {
    const answer = missing[flavor][rpc];
    if (answer === "OK") await runtime[rpc](none);
    else
      expect(await failureOf(runtime[rpc](none)), rpc).toMatchObject({ code: Status[answer[0]], details: answer[1] });
  }
});

describe("a container that has exited", () => {
  const commands = ["execSync", "exec", "attach"] as const;

  test.each([
    ["containerd-2", "UNKNOWN", /container is in CONTAINER_EXITED state$/, commands],
    ["cri-o", "NOT_FOUND", /^container is not created or running: checking if PID of /, ["execSync"]],
    ["cri-dockerd", "UNKNOWN", /^container not running \([0-9a-f]{64}\)$/, commands],
  ] as const)("runs no commands: %s", async (flavor, code, details, rpcs) => {
    const connected = await start({ flavor, strict: false });
    const containerId = await startContainer(connected, await runPod(connected));
    await connected.runtime.stopContainer({ containerId });
    for (const rpc of rpcs) {
      const error = await failureOf(connected.runtime[rpc]({ containerId, cmd: ["true"], stdout: true }));
      expect(error, rpc).toMatchObject({ code: Status[code], details: expect.stringMatching(details) });
    }
  });

  test("is detected by the session on CRI-O", async () => {
    const connected = await start({ flavor: "cri-o" });
    const containerId = await startContainer(connected, await runPod(connected));
    await connected.runtime.stopContainer({ containerId });
    expect((await connected.runtime.exec({ containerId, cmd: ["true"], stdout: true })).url).toMatch(/^http:/);
  });
});

test("commands run in a container that was not started on CRI-O only", async () => {
  for (const flavor of flavors) {
    const connected = await start({ flavor });
    const containerId = await createContainer(connected, await runPod(connected));
    const running = connected.runtime.execSync({ containerId, cmd: ["echo", "hi"] });
    if (flavor === "cri-o") expect((await running).stdout.toString()).toBe("hi\n");
    else expect((await failureOf(running)).details).toMatch(/CONTAINER_CREATED state|not running/);
  }
});

test.each([
  ["containerd-1.7", { code: Status.UNKNOWN, details: /: OCI runtime exec failed: .* not found in \$PATH: unknown$/ }],
  ["containerd-2", { code: Status.UNKNOWN, details: /: OCI runtime exec failed: .* not found in \$PATH$/ }],
  [
    "cri-o",
    { code: Status.UNKNOWN, details: /^command error: time=".*exec: \\"nope\\": executable file not found in / },
  ],
  ["cri-dockerd", { exitCode: 126, stdout: /^OCI runtime exec failed: .*: unknown\r\n$/ }],
] as const)("a command that does not exist: %s", async (flavor, expected) => {
  const connected = await start({ flavor, strict: false });
  const containerId = await startContainer(connected, await runPod(connected));
  const running = connected.runtime.execSync({ containerId, cmd: ["nope"] });
  if ("code" in expected) {
    expect(await failureOf(running)).toMatchObject({ ...expected, details: expect.stringMatching(expected.details) });
  } else {
    const { exitCode, stdout } = await running;
    expect({ exitCode, stdout: stdout.toString() }).toEqual({
      exitCode: 126,
      stdout: expect.stringMatching(expected.stdout),
    });
  }
});

describe("creations", () => {
  test("Docker removes the holder of a taken name unless it runs, but the creation still fails", async () => {
    const connected = await start({ flavor: "cri-dockerd", strict: false });
    const pod = await runPod(connected);
    const first = await createContainer(connected, pod);
    const conflict = new RegExp(
      `^Error response from daemon: Conflict. The container name "/k8s_main_web_default_uid-web_0".*${first}`,
    );
    expect((await failureOf(createContainer(connected, pod))).details).toMatch(conflict);
    expect(connected.fake.containers).toEqual([]);
    const containerId = await startContainer(connected, pod);
    expect((await failureOf(createContainer(connected, pod))).details).toContain(containerId);
    expect(connected.fake.containers.map(({ id }) => id)).toEqual([containerId]);
  });

  test("Docker keeps a pod that is not ready when RunPodSandbox fails", async () => {
    const connected = await start({ flavor: "cri-dockerd" });
    connected.fake.failNext("RunPodSandbox", { code: "UNKNOWN", phase: "duringEffect" });
    await failureOf(runPod(connected));
    expect(connected.fake.pods).toMatchObject([{ state: 1 }]);
    expect((await failureOf(runPod(connected))).details).toMatch(/Conflict.*k8s_POD_web_default_uid-web_0/);
    await runPod(connected);
    expect(connected.fake.pods).toMatchObject([{ state: 0 }]);
  });

  test.each([
    ["containerd-2", Status.INVALID_ARGUMENT, /a real containerd crashes/],
    ["cri-o", Status.UNKNOWN, /^sandbox config is nil$/],
    ["cri-dockerd", Status.UNKNOWN, /^sandbox config is nil for container "main"$/],
  ] as const)("need sandbox_config: %s", async (flavor, code, details) => {
    const connected = await start({ flavor });
    const podSandboxId = await runPod(connected);
    const config = { metadata: { name: "main" }, image: { image: "busybox:1", userSpecifiedImage: "busybox:1" } };
    const error = await failureOf(connected.runtime.createContainer({ podSandboxId, config }));
    expect(error).toMatchObject({ code, details: expect.stringMatching(details) });
  });

  test.each([
    ["containerd-2", "start", /^no such program$/],
    ["cri-o", "create", /^no such program$/],
    ["cri-dockerd", "start", /^no such program$/],
  ] as const)("a program that cannot be started makes %s fail to %s the container", async (flavor, when, details) => {
    const connected = await start({ flavor, strict: false, run: () => ({ startError: "no such program" }) });
    const pod = await runPod(connected);
    const creating = createContainer(connected, pod);
    const error = await failureOf(
      when === "create" ? creating : connected.runtime.startContainer({ containerId: await creating }),
    );
    expect(error.details).toMatch(details);
  });
});

test("Docker reports the year 1 for unknown times", async () => {
  const connected = await start({ flavor: "cri-dockerd", strict: false });
  const containerId = await startContainer(connected, await runPod(connected));
  const { status } = await connected.runtime.containerStatus({ containerId });
  expect(status?.finishedAt.isNegative()).toBe(true);
  expect(status?.startedAt.isPositive()).toBe(true);
});

test("Docker's log path is relative if CreateContainer has no log directory; CRI-O uses the pod's", async () => {
  for (const [flavor, logPath] of [
    ["cri-dockerd", "main.log"],
    ["cri-o", "/var/log/pods/web/main.log"],
    ["containerd-2", ""],
  ] as const) {
    const { runtime } = await start({ flavor });
    const { podSandboxId } = await runtime.runPodSandbox({ config: podConfig("web") });
    const sandboxConfig = { metadata: podConfig("web").metadata };
    const image = { image: "busybox:1", userSpecifiedImage: "busybox:1" };
    const config = { metadata: { name: "main" }, image, logPath: "main.log" };
    const { containerId } = await runtime.createContainer({ podSandboxId, config, sandboxConfig });
    expect((await runtime.containerStatus({ containerId })).status?.logPath).toBe(logPath);
  }
});

test("Docker parses metadata from names, which fails for a pod with an underscore in its name", async () => {
  const connected = await start({ flavor: "cri-dockerd", strict: false });
  const { fake, runtime } = connected;
  const podSandboxId = await runPod(connected, "my_pod");
  const containerId = await startContainer(connected, podSandboxId);
  expect((await failureOf(runtime.podSandboxStatus({ podSandboxId }))).details).toContain(
    'failed to parse the sandbox name: "k8s_POD_my_pod_default_uid-my_pod_0"',
  );
  expect((await failureOf(runtime.containerStatus({ containerId }))).details).toContain(
    'failed to parse the container name: "k8s_main_my_pod_default_uid-my_pod_0"',
  );
  expect((await runtime.listPodSandbox({})).items).toEqual([]);
  expect((await runtime.listContainers({})).containers).toEqual([]);
  expect((await runtime.execSync({ containerId, cmd: ["true"] })).exitCode).toBe(0);
  await runtime.removePodSandbox({ podSandboxId });
  expect([fake.pods, fake.containers]).toEqual([[], []]);

  const config = { ...podConfig("my_pod"), metadata: { ...podConfig("my_pod").metadata, uid: "u" } };
  const other = await runtime.runPodSandbox({ config });
  expect((await failureOf(runtime.podSandboxStatus(other))).details).toBe(
    'failed to parse the sandbox name "k8s_POD_my_pod_default_u_0": strconv.ParseUint: parsing "u": invalid syntax',
  );
});

test("Docker starts an exited container again; others fail", async () => {
  for (const flavor of flavors) {
    const connected = await start({ flavor, strict: false });
    const { runtime } = connected;
    const containerId = await startContainer(connected, await runPod(connected));
    await runtime.stopContainer({ containerId });
    if (flavor !== "cri-dockerd") {
      expect((await failureOf(runtime.startContainer({ containerId }))).code).toBe(Status.UNKNOWN);
      continue;
    }
    for (const _ of ["exited", "running"]) await runtime.startContainer({ containerId });
    const { status } = await runtime.containerStatus({ containerId });
    expect(status).toMatchObject({ state: ContainerState.CONTAINER_RUNNING, exitCode: 0, reason: "" });
    await runtime.stopContainer({ containerId });
    expect((await runtime.containerStatus({ containerId })).status?.state).toBe(ContainerState.CONTAINER_EXITED);
  }
});

test("CRI-O has its own errors for the state of a container", async () => {
  const connected = await start({ flavor: "cri-o" });
  const { runtime } = connected;
  const containerId = await createContainer(connected, await runPod(connected));
  await runtime.reopenContainerLog({ containerId });
  await runtime.startContainer({ containerId });
  const startAgain = async () => (await failureOf(runtime.startContainer({ containerId }))).details;
  expect(await startAgain()).toBe(`container ${containerId} is not in created state: running`);
  await runtime.stopContainer({ containerId });
  expect(await startAgain()).toBe(`container ${containerId} is not in created state: stopped`);
  const updating = runtime.updateContainerResources({ containerId, linux: { cpuShares: 2 } });
  expect((await failureOf(updating)).details).toBe(`container ${containerId} is not running or created state: stopped`);
});

test.each([
  ["containerd-1.7", "NOT_FOUND", /^failed to resolve image "absent:1": not found$/],
  ["containerd-2", "NOT_FOUND", /^failed to check if this is a checkpoint image: failed to resolve image "absent:1"/],
  ["cri-o", "UNKNOWN", /^reference "\[overlay@\S+\]absent:1" does not resolve to an image ID$/],
  ["cri-dockerd", "UNKNOWN", /^Error response from daemon: No such image: absent:1$/],
] as const)("a missing image: %s", async (flavor, code, details) => {
  const connected = await start({ flavor, strict: false });
  const podSandboxId = await runPod(connected);
  const config = { ...containerConfig("main"), image: { image: "absent:1", userSpecifiedImage: "absent:1" } };
  const creating = connected.runtime.createContainer({ podSandboxId, config, sandboxConfig: podConfig("web") });
  expect(await failureOf(creating)).toMatchObject({ code: Status[code], details: expect.stringMatching(details) });
});

test("Docker fails to list containers in the state unknown", async () => {
  const filter = { state: { state: ContainerState.CONTAINER_UNKNOWN } };
  for (const flavor of flavors) {
    const { runtime } = await start({ flavor });
    if (flavor === "cri-dockerd") {
      expect((await failureOf(runtime.listContainers({ filter }))).details).toBe(
        "Error response from daemon: invalid filter 'status=unknown'",
      );
    } else {
      expect((await runtime.listContainers({ filter })).containers).toEqual([]);
    }
  }
});

test("ExecSync uses the container's terminal on CRI-O", async () => {
  for (const [flavor, stdout, stderr] of [
    ["cri-o", "one\r\ntwo\r\nbad\r\n", ""],
    ["containerd-2", "one\ntwo\n", "bad\n"],
  ] as const) {
    const exec = () => ({ exitCode: 0, stdout: "one\ntwo\n", stderr: "bad\n" });
    const { runtime } = await start({ flavor, exec });
    const { podSandboxId } = await runtime.runPodSandbox({ config: podConfig("web") });
    const config = { ...containerConfig("main"), logPath: "", tty: true };
    const { containerId } = await runtime.createContainer({ podSandboxId, config, sandboxConfig: podConfig("web") });
    await runtime.startContainer({ containerId });
    const outcome = await runtime.execSync({ containerId, cmd: ["talk"] });
    expect({ stdout: outcome.stdout.toString(), stderr: outcome.stderr.toString() }).toEqual({ stdout, stderr });
  }
});

test("Docker returns URLs of sessions without a scheme", async () => {
  const connected = await start({ flavor: "cri-dockerd", strict: false });
  const containerId = await startContainer(connected, await runPod(connected));
  const { url } = await connected.runtime.exec({ containerId, cmd: ["true"], stdout: true });
  expect(url).toMatch(/^\/\/\[::\]:\d+\/cri\/exec\/[\w-]{8}$/);
});

test.each([
  ["containerd-2", ["INVALID_ARGUMENT", ""], ["INVALID_ARGUMENT", ""]],
  [
    "cri-o",
    ["INVALID_ARGUMENT", "unable to prepare exec endpoint: rpc error: code = InvalidArgument desc = "],
    ["UNKNOWN", "unable to prepare attach endpoint"],
  ],
  ["cri-dockerd", ["INVALID_ARGUMENT", ""], ["INVALID_ARGUMENT", ""]],
] as const)("sessions with an invalid combination of streams: %s", async (flavor, ofExec, ofAttach) => {
  const connected = await start({ flavor, strict: false });
  const containerId = await startContainer(connected, await runPod(connected));
  const { runtime } = connected;
  const both = "tty and stderr cannot both be true";
  const failures = [
    [runtime.exec({ containerId, cmd: ["sh"], tty: true, stderr: true }), ofExec, both],
    [runtime.exec({ containerId, cmd: ["sh"] }), ofExec, "one of stdin, stdout, or stderr must be set"],
    [runtime.attach({ containerId, tty: true, stderr: true }), ofAttach, both],
    [runtime.attach({ containerId }), ofAttach, "one of stdin, stdout, and stderr must be set"],
  ] as const;
  for (const [call, [code, context], reason] of failures) {
    const details = code === "UNKNOWN" ? context : `${context}${reason}`;
    expect(await failureOf(call)).toMatchObject({ code: Status[code], details });
  }
});

test("CRI-O rejects a port-forward without a pod at once", async () => {
  const { runtime } = await start({ flavor: "cri-o" });
  const details = "unable to prepare portforward endpoint";
  expect(await failureOf(runtime.portForward({ port: [80] }))).toMatchObject({ code: Status.UNKNOWN, details });
});

test.each([
  ["containerd-2", "UNKNOWN", /^CRIU binary not found or too old .*"criu": executable file not found in \$PATH$/],
  ["cri-o", "UNKNOWN", /^checkpoint\/restore support not available$/],
  ["cri-dockerd", "UNIMPLEMENTED", /^method CheckpointContainer not implemented$/],
] as const)("a checkpoint on a node without CRIU: %s", async (flavor, code, details) => {
  const connected = await start({ flavor, strict: false, criu: false });
  const containerId = await startContainer(connected, await runPod(connected));
  const error = await failureOf(connected.runtime.checkpointContainer({ containerId, location: "/c.tar" }));
  expect(error).toMatchObject({ code: Status[code], details: expect.stringMatching(details) });
});

test("Docker removes images by id only, and ignores credentials in base64", async () => {
  const rule = { username: "u", password: "p" };
  const { fake, images } = await start({ flavor: "cri-dockerd", registry: { "private/*": rule } });
  await images.removeImage({ image: { image: "busybox:1" } });
  expect(fake.images).toHaveLength(1);
  await images.removeImage({ image: { image: fake.images[0]?.id ?? "" } });
  expect(fake.images).toEqual([]);
  const image = { image: "private/x:1" };
  const auth = Buffer.from("u:p").toString("base64");
  await failureOf(images.pullImage({ image, auth: { auth } }));
  await images.pullImage({ image, auth: rule });
});

test("a runtime that lost track of its containers reports them as running, and can remove them", async () => {
  const connected = await start({ flavor: "cri-o" });
  const { fake, runtime } = connected;
  const containerId = await startContainer(connected, await runPod(connected));
  await fake.restart({ containers: "untracked" });
  expect((await runtime.containerStatus({ containerId })).status?.state).toBe(ContainerState.CONTAINER_RUNNING);
  await runtime.stopContainer({ containerId });
  await runtime.removeContainer({ containerId });
  expect(fake.containers).toEqual([]);
});
