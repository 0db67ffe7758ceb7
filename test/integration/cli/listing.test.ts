/** `ps`, `pods`, `images`, `inspect`, `info` and `version` against FakeRuntime. */
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import manifest from "../../../package.json" with { type: "json" };
import {
  fromCrictlImages,
  fromCrictlInspect,
  fromCrictlInspecti,
  fromCrictlInspectp,
  fromCrictlPods,
  fromCrictlPs,
} from "../../../src/crictl/index.js";
import { runCli, runLive } from "../../support/terminal.js";
import { startFake } from "../support.js";

const image = "docker.io/library/busybox:1";

async function startNode() {
  const { runtime, cri } = await startFake({ images: [image, "registry.example/app:2"] });
  const web = await cri.pods.run({ name: "web", namespace: "shop", labels: { app: "shop" } });
  const job = await cri.pods.run({ name: "job", namespace: "batch" });
  const main = await web.runContainer({
    ...{ name: "main", image, labels: { tier: "web" } },
    env: { PASSWORD: "s3cr3t" },
  });
  const work = await job.runContainer({ name: "work", image });
  await work.stop({ gracePeriodSeconds: 0 });
  await job.stop({ gracePeriodSeconds: 0 });
  const run = (...args: string[]) => runCli([...args, "--endpoint", runtime.endpoint]);
  return { runtime, cri, web, job, main, work, run };
}

/** Splits a table into rows of cells. */
function rows(text: string): string[][] {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => line.split(/ {3,}/));
}

describe("ps", () => {
  test("lists running containers, or all", async () => {
    const { run, main, work } = await startNode();
    const { exitCode, stdout, stderr } = await run("ps");
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(rows(stdout)).toEqual([
      ["CONTAINER", "NAME", "STATE", "AGE", "POD", "IMAGE"],
      [main.id.slice(0, 13), "main", "running", expect.stringMatching(/^\d+s$/), "shop/web", image],
    ]);
    const all = await run("ps", "-a", "-o", "wide", "--no-trunc");
    expect(rows(all.stdout).map(([id, name, state]) => [id, name, state])).toEqual(
      expect.arrayContaining([
        [work.id, "work", "exited"],
        [main.id, "main", "running"],
      ]),
    );
    expect(all.stdout).toContain("POD ID");
  });

  test.each([
    ["a name", ["main"]],
    ["the beginning of a name", ["ma"]],
    ["a path", ["shop/web/main"]],
    ["a pod and a name", ["web/main"]],
    ["several names", ["other", "main"]],
    ["a state", ["-s", "running"]],
    ["a label", ["-l", "tier=web"]],
    ["a namespace", ["-n", "shop"]],
    ["a pod", ["-p", "web"]],
    ["an exact name", ["--name", "main"]],
  ])("selects by %s", async (_, args) => {
    const { run, main } = await startNode();
    expect((await run("ps", "-a", "-q", ...args)).stdout).toBe(`${main.id}\n`);
  });

  test("prints an empty table for no container", async () => {
    const { run } = await startNode();
    expect(rows((await run("ps", "nothing")).stdout)).toHaveLength(1);
  });

  test("prints what our readers of crictl's output read", async () => {
    const { run, cri } = await startNode();
    for (const format of ["json", "yaml"]) {
      const { stdout } = await run("ps", "-a", "-o", format);
      expect(fromCrictlPs(stdout)).toEqual(await cri.containers.list());
    }
  });
});

describe("pods", () => {
  test("lists pods with the number of running containers", async () => {
    const { run, web, job } = await startNode();
    const [heading, ...pods] = rows((await run("pods")).stdout);
    expect(heading).toEqual(["POD ID", "NAMESPACE", "NAME", "STATE", "RUNNING", "AGE"]);
    expect(pods.map(([id, ...cells]) => [id, ...cells.slice(0, 4)]).sort()).toEqual(
      [
        [web.id.slice(0, 13), "shop", "web", "ready", "1/1"],
        [job.id.slice(0, 13), "batch", "job", "notready", "0/1"],
      ].sort(),
    );
  });

  test.each([
    ["a name", ["web"]],
    ["a path", ["shop/w"]],
    ["a state", ["-s", "ready"]],
    ["a label", ["-l", "app=shop"]],
    ["a namespace", ["-n", "shop"]],
  ])("selects by %s", async (_, args) => {
    const { run, web } = await startNode();
    expect((await run("pods", "-o", "name", ...args)).stdout).toBe(`${web.id}\n`);
  });

  test("prints what our readers of crictl's output read", async () => {
    const { run, cri } = await startNode();
    for (const format of ["json", "yaml"]) {
      expect(fromCrictlPods((await run("pods", "-o", format)).stdout)).toEqual(await cri.pods.list());
    }
  });
});

describe("images", () => {
  test("lists one line for each tag", async () => {
    const { run, cri } = await startNode();
    const found = (await cri.images.get(image))!;
    const [heading, ...lines] = rows((await run("images", "-o", "wide")).stdout);
    expect(heading).toEqual(["IMAGE", "TAG", "IMAGE ID", "SIZE", "PINNED", "DIGEST"]);
    const id = found.id.replace("sha256:", "").slice(0, 13);
    expect(lines[0]?.slice(0, 3)).toEqual(["docker.io/library/busybox", "1", id]);
    expect(lines[1]?.slice(0, 2)).toEqual(["registry.example/app", "2"]);
  });

  test.each(["busybox", "library/busybox", image, "docker.io/library/b"])("selects by %s", async (text) => {
    const { run } = await startNode();
    expect((await run("images", "-q", text)).stdout).toBe(`${image}\n`);
  });

  test("prints what our readers of crictl's output read", async () => {
    const { run, cri } = await startNode();
    expect(fromCrictlImages((await run("images", "-o", "json")).stdout)).toEqual(await cri.images.list());
  });
});

describe("inspect", () => {
  test("prints containers, pods and images as crictl does", async () => {
    const { run, web, main, cri } = await startNode();
    const container = await run("inspect", "main", "--show-secrets");
    expect(container.stderr).toBe("");
    const [inspection] = fromCrictlInspect(container.stdout);
    const expected = await main.inspect();
    expect(inspection?.status).toEqual(expected.status);
    expect(inspection?.env).toEqual(expected.env);
    const pod = await run("inspect", "shop/web", "-o", "yaml");
    expect(fromCrictlInspectp(pod.stdout)[0]?.status).toEqual(await web.status());
    const ofImage = await run("inspect", "registry.example/app:2");
    expect(fromCrictlInspecti(ofImage.stdout)[0]?.image).toEqual(await cri.images.get("registry.example/app:2"));
    const several = await run("inspect", "main", "web");
    expect(JSON.parse(several.stdout)).toHaveLength(2);
  });

  test("hides values of the environment unless they are wanted", async () => {
    const { run } = await startNode();
    const { stdout } = await run("inspect", "main");
    expect(stdout).toContain('"createdAt": "20');
    expect(stdout).toContain("PASSWORD");
    expect(stdout).not.toContain("s3cr3t");
    expect((await run("inspect", "main", "--show-secrets")).stdout).toContain("s3cr3t");
  });

  test("asks for the type of an ambiguous name, and takes it", async () => {
    const { run, web, cri } = await startNode();
    const same = await web.runContainer({ name: "web", image });
    const { exitCode, stdout, stderr } = await run("inspect", "web");
    expect([exitCode, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("container shop/web/web (running)");
    const container = await run("inspect", "web", "--type", "container");
    expect(JSON.parse(container.stdout).status.id).toBe(same.id);
    expect(JSON.parse((await run("inspect", "web", "--type", "pod")).stdout).status.id).toBe(web.id);
    expect((await run("inspect", "web", "--type", "image")).stderr).toContain('no image has the name or id "web"');
    expect((await cri.pods.list()).length).toBeGreaterThan(0);
  });

  test("an interruption during the search for an image is not reported as a missing image", async () => {
    const { runtime } = await startNode();
    runtime.hangNext("ImageStatus");
    const inspecting = runLive(["inspect", "maim", "-e", runtime.endpoint]);
    await runtime.nextCall("ImageStatus");
    inspecting.interrupt();
    expect(await inspecting.exitCode).toBe(130);
    expect(inspecting.stderr()).toBe("");
  });

  test("suggests a similar name", async () => {
    const { run } = await startNode();
    const { exitCode, stderr } = await run("inspect", "maim");
    expect(exitCode).toBe(1);
    expect(stderr).toContain('did you mean "main"?');
    expect(stderr).not.toContain("    at ");
  });
});

describe("info and version", () => {
  test("info shows the runtime, its conditions, and what is on the node", async () => {
    const { run, cri } = await startNode();
    const { runtimeName, runtimeVersion } = await cri.version();
    const facts = Object.fromEntries(rows((await run("info")).stdout).map(([name, value]) => [name, value]));
    expect(facts).toMatchObject({
      Endpoint: cri.endpoint,
      Runtime: `${runtimeName} ${runtimeVersion} (CRI v1)`,
      RuntimeReady: "yes",
      NetworkReady: "yes",
      Pods: "2 (1 ready)",
      Containers: "2 (1 running)",
      Images: expect.stringContaining(`${(await cri.images.list()).length} (`),
    });
    const document = JSON.parse((await run("info", "-o", "json")).stdout);
    expect(document.status.conditions).toContainEqual(expect.objectContaining({ type: "RuntimeReady", status: true }));
  });

  test("version shows the versions of both sides", async () => {
    const { run, cri } = await startNode();
    const { runtimeVersion } = await cri.version();
    const { stdout } = await run("version");
    expect(stdout).toContain(manifest.version);
    expect(stdout).toContain(runtimeVersion);
    expect(parse((await run("version", "-o", "yaml")).stdout)).toMatchObject({
      clientVersion: manifest.version,
      runtimeVersion,
    });
    expect((await runCli(["--version"])).stdout).toBe(`${manifest.version}\n`);
    expect((await runCli(["version", "--client"])).stdout).toContain(process.version);
  });
});

describe("all commands", () => {
  test("accept crictl's spellings of the endpoint before their name", async () => {
    const { runtime, main } = await startNode();
    const { endpoint } = runtime;
    for (const args of [
      ["-r", endpoint],
      ["--runtime-endpoint", endpoint, "-i", endpoint, "-t", "10s"],
      ["-e", endpoint],
    ]) {
      expect((await runCli([...args, "ps", "-q"])).stdout).toBe(`${main.id}\n`);
    }
    const { exitCode, stderr } = await runCli(["-r", "unix:///nowhere.sock", "ps"]);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("/nowhere.sock")]);
  });

  test("never print control characters of names to a terminal", async () => {
    const { runtime, cri } = await startFake();
    const pod = await cri.pods.run({ name: "web" });
    await pod.runContainer({ name: "a", image: "busybox:1", labels: {} });
    runtime.failNext("ListContainers", { code: "INTERNAL", message: "forged \u001b[2J message" });
    const { stderr } = await runCli(["ps", "-e", runtime.endpoint], { isTTY: true });
    expect(stderr).toContain("forged");
    expect(stderr).not.toContain("\u001b[2J");
  });

  test("never print control characters of JSON and YAML to a terminal", async () => {
    const { runtime, cri } = await startFake();
    // CSI as one character, which some terminals interpret.
    const annotations = { note: "one\u009b2Jtwo" };
    await cri.pods.run({ name: "web", annotations });
    for (const format of ["json", "yaml"]) {
      const { stdout } = await runCli(["pods", "-o", format, "-e", runtime.endpoint]);
      expect(stdout).not.toContain("\u009b");
      expect(fromCrictlPods(stdout)).toMatchObject([{ annotations }]);
    }
  });

  test.each([
    ["an unknown command", ["sp"], "unknown command"],
    ["an unknown option", ["ps", "--al"], "unknown option"],
    ["a wrong choice", ["ps", "-o", "xml"], "Allowed choices are"],
    ["a wrong label", ["ps", "-l", "app"], "KEY=VALUE"],
    ["an operator that CRI does not have", ["rm", "-f", "-l", "app!=shop"], "KEY=VALUE"],
    ["wrong detach keys", ["exec", "--detach-keys", "ctrl-ä", "web", "sh"], "must be ctrl-"],
    ["an argument too many", ["events", "web"], "too many arguments"],
    ["a wrong duration", ["ps", "--timeout", "soon"], "duration"],
    ["a missing argument", ["inspect"], "missing required argument"],
  ])("exit with 2 for %s", async (_, args, message) => {
    const { exitCode, stdout, stderr } = await runCli(args);
    expect([exitCode, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(message);
  });
});
