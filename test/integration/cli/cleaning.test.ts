/** `pull`, `stop`, `rm`, `rmi` and `prune` against FakeRuntime. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { describe, expect, onTestFinished, test } from "vitest";
import { wasRunFromManifest } from "../../../src/kubernetes/index.js";
import { temporaryNode } from "../../support/temporary-node.js";
import { type CliOptions, runCli, runLive } from "../../support/terminal.js";
import { planOf } from "../kubernetes/support.js";
import { startFake } from "../support.js";

const image = "docker.io/library/busybox:1";

async function startNode() {
  const { runtime, cri } = await startFake({
    images: [image],
    registryImages: [{ reference: "registry.example/app:2" }],
  });
  const web = await cri.pods.run({ name: "web", namespace: "shop", labels: { app: "shop" } });
  const main = await web.runContainer({ name: "main", image });
  const side = await web.runContainer({ name: "side", image });
  const run = (args: string[], options?: CliOptions) => runCli([...args, "--endpoint", runtime.endpoint], options);
  return { runtime, cri, web, main, side, run };
}

describe("stop", () => {
  test("stops containers and pods with the grace period", async () => {
    const { runtime, run, web, main, side } = await startNode();
    const { exitCode, stdout } = await run(["stop", "web/main", "--grace-period", "7s"]);
    expect([exitCode, stdout]).toEqual([0, "web/main\n"]);
    expect(await main.state()).toBe("exited");
    const [call] = runtime.calls.filter(({ rpc }) => rpc === "StopContainer");
    expect(String(call?.request && "timeout" in call.request && call.request.timeout)).toBe("7");
    expect(await side.state()).toBe("running");
    await run(["stop", "-l", "app=shop"]);
    expect(await web.state()).toBe("notReady");
  });

  test("does nothing if one of the names is wrong", async () => {
    const { run, main } = await startNode();
    const { exitCode, stderr } = await run(["stop", "main", "sied"]);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('"sied"')]);
    expect(await main.state()).toBe("running");
  });

  test("finds all names with one list of pods and one of containers", async () => {
    const { runtime, run } = await startNode();
    runtime.clearCalls();
    const { exitCode, stdout } = await run(["stop", "main", "side", "web/main", "--grace-period", "0"]);
    // Each is stopped once.
    expect([exitCode, stdout.trim().split("\n").sort()]).toEqual([0, ["side", "web/main"]]);
    expect([runtime.callsOf("ListPodSandbox").length, runtime.callsOf("ListContainers").length]).toEqual([1, 1]);
  });

  test("refuses to select everything", async () => {
    const { run } = await startNode();
    expect(await run(["stop"])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("--label") });
  });
});

describe("rm", () => {
  test("removes what is stopped, and with --force what runs", async () => {
    const { cri, run, web, main, side } = await startNode();
    const refused = await run(["rm", "main"]);
    expect(refused).toMatchObject({ exitCode: 1, stdout: "" });
    expect(refused.stderr).toContain("main: the container is running; stop it first, or use --force");
    await main.stop({ gracePeriodSeconds: 0 });
    // Continues after a failure.
    const some = await run(["rm", "side", "main"]);
    expect(some).toMatchObject({ exitCode: 1, stdout: "main\n" });
    expect((await cri.containers.list()).map(({ id }) => id)).toEqual([side.id]);
    expect(await run(["rm", "-f", web.id.slice(0, 12)])).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await cri.pods.list()).toEqual([]);
  });

  test("removes the files of a pod that was run from a manifest", async () => {
    const { cri, run } = await startNode();
    const node = await temporaryNode();
    onTestFinished(() => node[Symbol.asyncDispose]());
    const plan = planOf({ containers: [{ name: "c", image }], volumes: [{ name: "v", emptyDir: {} }] }, node.node);
    const running = await plan.run(cri);
    await running.waitReady();
    await running.release();
    const [pod] = await cri.pods.list({ uid: plan.uid });
    expect(wasRunFromManifest(pod!)).toBe(true);
    const { namespace, name } = pod!.metadata!;
    const rest = ["--root-directory", node.node.rootDirectory];
    expect(await run(["rm", "-f", `${namespace}/${name}`, ...rest])).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await readdir(join(node.node.rootDirectory, "pods"))).toEqual([]);
    expect(await cri.pods.list({ uid: plan.uid })).toEqual([]);
  });

  test("selects containers by label with --type", async () => {
    const { cri, run, web, main } = await startNode();
    const labelled = await web.runContainer({ name: "extra", image, labels: { app: "shop" } });
    await run(["rm", "-f", "-l", "app=shop", "--type", "container"]);
    const left = (await cri.containers.list()).map(({ id }) => id);
    expect(left).toContain(main.id);
    expect(left).not.toContain(labelled.id);
  });
});

describe("pull and rmi", () => {
  test("pull prints ids on stdout and progress on stderr", async () => {
    const { cri, run } = await startNode();
    const { exitCode, stdout, stderr } = await run(["pull", "registry.example/app:2"]);
    const pulled = (await cri.images.get("registry.example/app:2"))!;
    expect([exitCode, stdout]).toEqual([0, `${pulled.id}\n`]);
    expect(stderr).toBe("registry.example/app:2: pulling\nregistry.example/app:2: pulled\n");
    const again = await run(["pull", "--policy", "missing", "-q", "registry.example/app:2"]);
    expect(again).toMatchObject({ exitCode: 0, stdout: `${pulled.id}\n`, stderr: "" });
  });

  test("pull continues after a failure and exits with 1", async () => {
    const { runtime, run } = await startNode();
    runtime.failNext("PullImage", { code: "NOT_FOUND" });
    const images = ["registry.example/none:1", "registry.example/app:2"];
    const { exitCode, stdout, stderr } = await run(["pull", "--parallel", "1", ...images]);
    expect(exitCode).toBe(1);
    expect(stdout.trim().split("\n")).toHaveLength(1);
    expect(stderr).toContain("k8s-cri-client: registry.example/none:1: ");
  });

  test("pull takes credentials from --auth-file, and never prints them", async () => {
    const password = "s3cret-of-the-registry";
    const { runtime, cri } = await startFake({ registry: { "registry.example/*": { username: "u", password } } });
    const folder = await mkdtemp(join(tmpdir(), "cli-auth-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const file = async (name: string, given: string) => {
      const auth = Buffer.from(`u:${given}`).toString("base64");
      await writeFile(join(folder, name), JSON.stringify({ auths: { "registry.example": { auth } } }));
      return join(folder, name);
    };
    const pull = (...args: string[]) =>
      runCli([
        "pull",
        "registry.example/app:1",
        "-e",
        runtime.endpoint,
        ...args.flatMap((one) => ["--auth-file", one]),
      ]);
    const [right, wrong] = [await file("right.json", password), await file("wrong.json", "wr0ng")];
    const refused = await pull(wrong);
    expect(refused).toMatchObject({ exitCode: 1, stdout: "" });
    expect(refused.stderr).toMatch(/registry\.example\/app:1: .*authorization failed/);
    // The next file is tried after the credentials of the first were refused.
    const pulled = await pull(wrong, right);
    const { id } = (await cri.images.get("registry.example/app:1"))!;
    expect(pulled).toMatchObject({ exitCode: 0, stdout: `${id}\n` });
    for (const text of [refused.stderr, pulled.stderr]) {
      for (const secret of [password, "wr0ng", Buffer.from("u:wr0ng").toString("base64")]) {
        expect(text).not.toContain(secret);
      }
    }
    const missing = join(folder, "missing.json");
    expect(await pull(missing)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(missing) });
  });

  test.each(["0", "65", "1.5", "x"])("pull refuses --parallel %s", async (number) => {
    expect(await runCli(["pull", "--parallel", number, "app:1"])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/--parallel.*whole number/),
    });
  });

  test("rmi removes images, and names those that do not exist", async () => {
    const { cri, run } = await startNode();
    await run(["pull", "registry.example/app:2"]);
    const { exitCode, stdout, stderr } = await run(["rmi", "registry.example/app:2", "none:1"]);
    expect([exitCode, stdout]).toEqual([1, "registry.example/app:2\n"]);
    expect(stderr).toContain("none:1: there is no such image");
    expect(await cri.images.exists("registry.example/app:2")).toBe(false);
  });
});

describe("prune", () => {
  async function startDirty() {
    const node = await startNode();
    const old = await node.cri.pods.run({ name: "old", namespace: "batch" });
    const done = await old.runContainer({ name: "done", image });
    await done.stop({ gracePeriodSeconds: 0 });
    await old.stop({ gracePeriodSeconds: 0 });
    return { ...node, old, done };
  }

  test("--dry-run removes nothing, and says what would be removed and why the rest is kept", async () => {
    const { cri, run, done } = await startDirty();
    const before = [await cri.containers.list(), await cri.pods.list()];
    const { exitCode, stdout, stderr } = await run(["prune", "--dry-run", "--kept", "--min-age", "0"]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(new RegExp(`would remove +container +done +${done.id.slice(0, 13)}`));
    expect(stdout).toMatch(/kept +container +main .* runs/);
    expect(stdout).toMatch(/kept +pod +batch\/old .* has containers/);
    expect(stderr).toContain("would remove 1, kept 4, failed 0");
    expect([await cri.containers.list(), await cri.pods.list()]).toEqual(before);
  });

  test("--yes removes containers, and then pods that are empty", async () => {
    const { cri, run, web } = await startDirty();
    const { exitCode, stdout } = await run(["gc", "-y", "--min-age", "0", "-o", "json"]);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toEqual([
      expect.objectContaining({ kind: "container", name: "done", result: "removed" }),
      expect.objectContaining({ kind: "pod", name: "batch/old", result: "removed" }),
    ]);
    expect((await cri.pods.list()).map(({ id }) => id)).toEqual([web.id]);
  });

  test("selects by namespace and label", async () => {
    const { cri, run } = await startDirty();
    for (const selection of [
      ["-n", "shop"],
      ["-l", "app=shop"],
    ]) {
      await run(["prune", "-y", "--min-age", "0", ...selection]);
      expect(await cri.pods.list()).toHaveLength(2);
    }
  });

  test("keeps what is young by default", async () => {
    const { run } = await startDirty();
    const { stdout } = await run(["prune", "-y", "--kept"]);
    expect(stdout).toContain("is younger than --min-age");
  });

  test("asks on a terminal, and removes only after yes", async () => {
    const { cri, run } = await startDirty();
    const answer = (text: string) => Object.assign(new PassThrough(), { isTTY: true }).end(text) as PassThrough;
    const args = ["prune", "--min-age", "0"];
    const no = await run(args, { stdin: answer("n\n") });
    expect(no).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("Remove this object") });
    expect(no.stderr).toContain("nothing was removed");
    expect(await run(args, { stdin: answer("") })).toMatchObject({ exitCode: 1 });
    expect(await cri.pods.list()).toHaveLength(2);
    expect(await run(args, { stdin: answer("yes\n") })).toMatchObject({ exitCode: 0 });
    expect(await cri.pods.list()).toHaveLength(1);
    // Nothing is left to remove, so there is no question.
    expect(await run(args)).toMatchObject({ exitCode: 0, stderr: expect.stringContaining("removed 0") });
  });

  test("a signal during the question ends it with the exit code of the signal", async () => {
    const { runtime, cri } = await startDirty();
    const stdin = Object.assign(new PassThrough(), { isTTY: true });
    const asking = runLive(["prune", "--min-age", "0", "-e", runtime.endpoint], { stdin });
    await expect.poll(asking.stderr).toContain("Remove this object");
    asking.interrupt(143);
    expect(await asking.exitCode).toBe(143);
    expect(asking.stderr()).not.toContain("abort");
    expect(await cri.pods.list()).toHaveLength(2);
  });

  test("names in the question cannot change the terminal", async () => {
    const { runtime, run } = await startDirty();
    runtime.respondNext(
      "ListContainers",
      ({ containers = [] }) => ({
        containers: containers.map((one) => ({ ...one, metadata: { name: "forged\u001b[2J", attempt: 0 } })),
      }),
      { times: Number.POSITIVE_INFINITY },
    );
    const stdin = Object.assign(new PassThrough(), { isTTY: true }).end("n\n") as PassThrough;
    const { stderr } = await run(["prune", "--min-age", "0"], { stdin });
    expect(stderr).toContain("container forged\ufffd[2J\n");
    expect(stderr).not.toContain("\u001b[2J");
  });

  test("refuses to ask without a terminal", async () => {
    const { cri, run } = await startDirty();
    expect(await run(["prune", "--min-age", "0"])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("--yes or --dry-run"),
    });
    expect(await cri.pods.list()).toHaveLength(2);
  });

  test("removes images except those to keep, and logs of pods that do not exist", async () => {
    const { cri, run } = await startDirty();
    await run(["pull", "registry.example/app:2"]);
    const args = ["prune", "images", "-y", "--min-age", "0", "--kept"];
    const kept = await run([...args, "--keep", "registry.example/*"]);
    expect(kept.stdout).toMatch(/kept +image +registry.example\/app:2 .* matches --keep/);
    await run(args);
    expect(await cri.images.exists("registry.example/app:2")).toBe(false);
    const root = await mkdtemp(join(tmpdir(), "cli-logs-"));
    onTestFinished(() => rm(root, { recursive: true, force: true }));
    await mkdir(join(root, "shop_gone_uid-1"));
    const logs = await run(["prune", "logs", "-y", "--min-age", "0", "--log-root", root]);
    expect(logs).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("shop_gone_uid-1") });
    expect(await readdir(root)).toEqual([]);
  });

  test.each([
    ["--keep", "a", "images"],
    ["--log-links", "/a", "logs"],
  ])("refuses %s for other kinds", async (option, value, kind) => {
    expect(await runCli(["prune", "-y", option, value])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining(`${option} has an effect on ${kind} only`),
    });
  });

  // Otherwise `prune images -n shop` would remove the images of all namespaces.
  test.each([["--namespace", "shop"], ["--label", "app=shop"], ["--include-kubelet"]])(
    "refuses %s for images and logs, to which it does not apply",
    async (...option) => {
      const { runtime, run } = await startNode();
      expect(await run(["prune", "images", "logs", "-y", ...option])).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining(`${option[0]} has an effect on containers and pods only`),
      });
      expect(runtime.callsOf("RemoveImage")).toEqual([]);
    },
  );
});
