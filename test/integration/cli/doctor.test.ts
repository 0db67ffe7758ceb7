/** `doctor` as a person and as a script use it. */
import { expect, test } from "vitest";
import { StatusResponse } from "../../../src/proto.js";
import { runCli } from "../../support/terminal.js";
import { startFake } from "../support.js";

const utf8 = { LANG: "en_US.UTF-8" };

test("prints a line for each check, and a summary", async () => {
  const { runtime } = await startFake();
  const { exitCode, stdout, stderr } = await runCli(["doctor", "-e", runtime.endpoint], { env: utf8 });
  expect(stderr).toBe("");
  expect(stdout).toMatch(/^✓ program {9}k8s-cri-client /);
  expect(stdout).toMatch(/^✓ server {10}speaks CRI v1/m);
  expect(stdout).toMatch(/\n\n\d+ ok, \d+ warnings?, \d+ failures?, \d+ skipped\n$/);
  expect(exitCode).toBe(/^✗/m.test(stdout) ? 1 : 0);
  expect(stdout).not.toContain("\u001b");
});

test("prints what to do below a failure, in ASCII without UTF-8, and exits with 1", async () => {
  const { runtime } = await startFake({ serveCri: false });
  const { exitCode, stdout } = await runCli(["doctor", "-e", runtime.endpoint]);
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/^x server .*\n {4}Enable the CRI plugin.*\n {6}grep -n disabled_plugins/m);
  expect(stdout).toMatch(/^- not checked: runtime, network, .*: needs a runtime that answers$/m);
  expect(Buffer.from(stdout, "latin1").toString("latin1")).toBe(stdout);
});

test("messages of a hostile runtime cannot change the terminal", async () => {
  const { runtime } = await startFake({ version: { runtimeName: "forged\u001b]0;title\u0007" } });
  const conditions = [
    { type: "RuntimeReady", status: false, reason: "\u001b[2J", message: "one\ntwo\u202e" },
    { type: "NetworkReady", status: true },
  ];
  runtime.respondNext("Status", StatusResponse.fromPartial({ status: { conditions } }));
  const { stdout } = await runCli(["doctor", "-v", "-e", runtime.endpoint], { env: utf8 });
  expect(stdout).toContain("one\ufffdtwo\ufffd");
  expect([..."\u001b\u0007\u202e"].filter((character) => stdout.includes(character))).toEqual([]);
});

test("prints the findings as JSON", async () => {
  const { runtime } = await startFake({ serveCri: false });
  const { exitCode, stdout } = await runCli(["doctor", "-o", "json"], {
    env: { CONTAINER_RUNTIME_ENDPOINT: runtime.endpoint },
  });
  expect(exitCode).toBe(1);
  const { ok, findings } = JSON.parse(stdout);
  expect(ok).toBe(false);
  expect(findings).toContainEqual(
    expect.objectContaining({ check: "endpoint", found: `${runtime.endpoint} from CONTAINER_RUNTIME_ENDPOINT` }),
  );
});

test("runs a pod with --deep", async () => {
  const { runtime } = await startFake();
  const { stdout } = await runCli(["doctor", "--deep", "--image", "busybox:1", "-e", runtime.endpoint], { env: utf8 });
  expect(stdout).toMatch(/^✓ pod .*exec sessions work/m);
  expect(runtime.callsOf("RunPodSandbox")).toHaveLength(1);
  expect(runtime.pods).toEqual([]);
});

test.each([[["doctor", "now"]], [["doctor", "--image", "x"]], [["doctor", "-o", "wide"]]])(
  "refuses %j with exit code 2",
  async (args) => {
    expect(await runCli(args)).toMatchObject({ exitCode: 2, stdout: "" });
  },
);
