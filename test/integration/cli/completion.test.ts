/** Completion: what the shells get, and a real bash. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { commands } from "../../../src/cli/commands.js";
import { cliFolder } from "../../support/built-cli.js";
import { Pty } from "../../support/pty.js";
import { runCli } from "../../support/terminal.js";
import { startFake } from "../support.js";

const image = "docker.io/library/busybox:1";

async function startNode() {
  const { runtime, cri } = await startFake({ images: [image] });
  const web = await cri.pods.run({ name: "web", namespace: "shop" });
  const api = await cri.pods.run({ name: "api", namespace: "shop" });
  const main = await web.runContainer({ name: "main", image });
  await api.runContainer({ name: "main", image });
  await api.runContainer({ name: "worker", image });
  const complete = async (...words: string[]) => {
    const { exitCode, stdout, stderr } = await runCli(["__complete", "-e", runtime.endpoint, ...words]);
    expect([exitCode, stderr]).toEqual([0, ""]);
    return stdout.split("\n").flatMap((line) => (line === "" ? [] : (line.split("\t")[0] ?? "")));
  };
  return { runtime, cri, web, main, complete };
}

test("completes commands with their summaries", async () => {
  const { complete } = await startNode();
  expect(await complete("")).toEqual([...commands.map(({ name }) => name), "help"]);
  expect(await complete("po")).toEqual(commands.map(({ name }) => name).filter((name) => name.startsWith("po")));
  expect(await complete("none", "")).toEqual([]);
  expect((await runCli(["__complete", "ps"])).stdout).toContain("ps\tlist containers\n");
});

test("completes options, and not the hidden ones", async () => {
  const { complete } = await startNode();
  expect(await complete("ps", "--no")).toEqual(["--no-trunc"]);
  expect(await complete("ps", "main", "--ou")).toEqual(["--output"]);
  expect(await complete("--runtime")).toEqual([]);
  expect(await complete("--end")).toEqual(["--endpoint"]);
});

test("completes choices of options and arguments", async () => {
  const { complete } = await startNode();
  expect(await complete("ps", "-o", "")).toEqual(["table", "wide", "json", "yaml", "name"]);
  expect(await complete("ps", "--output=j")).toEqual(["--output=json"]);
  expect(await complete("prune", "images", "l")).toEqual(["logs"]);
  expect(await complete("completion", "")).toEqual(["bash", "zsh", "fish"]);
});

test("completes names of the node, as short as they are unique", async () => {
  const { complete, web } = await startNode();
  expect((await complete("stop", "")).sort()).toEqual(["api", "api/main", "web", "web/main", "worker"]);
  for (const name of ["ps", "logs", "exec", "attach", "inspect", "rm"]) {
    expect(await complete(name, "wo"), name).toEqual(["worker"]);
  }
  expect(await complete("ps", "main", "web/")).toEqual(["web/main"]);
  expect(await complete("pods", "shop/w")).toEqual(["shop/web"]);
  expect(await complete("pods", web.id.slice(0, 20))).toEqual([web.id]);
  expect(await complete("ps", "--pod", "a")).toEqual(["api"]);
  expect(await complete("ps", "-n", "")).toEqual(["shop"]);
  expect(await complete("rmi", "docker.io/library/b")).toEqual([image]);
});

test("offers nothing where a file is meant, and if the runtime does not answer", async () => {
  const { complete, runtime } = await startNode();
  expect(await complete("ps", "--config", "")).toEqual([]);
  await runtime.stop();
  expect(await complete("stop", "")).toEqual([]);
});

test.skipIf(process.platform === "win32")("bash completes on the tab key", { timeout: 120_000 }, async () => {
  const { runtime } = await startNode();
  const folder = await mkdtemp(join(tmpdir(), "cli-completion-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const env = {
    PATH: `${await cliFolder()}:${process.env.PATH}`,
    PS1: "> ",
    CONTAINER_RUNTIME_ENDPOINT: runtime.endpoint,
  };
  await using bash = Pty.start(["bash", "--norc", "--noprofile", "-i"], { env, cwd: folder });
  await writeFile(join(folder, "completion.bash"), (await runCli(["completion", "bash"])).stdout);
  bash.type("source completion.bash; echo rea'dy'\r");
  await bash.waitFor("ready");
  bash.type("k8s-cri-client stop wor\t");
  await bash.waitFor(/stop worker/);
  bash.type("\x15k8s-cri-client ps --output=js\t");
  await bash.waitFor(/--output=json/);
});
