/** ExecSync: exit codes, output, time limits. */
import { ExecError } from "k8s-cri-client";
import { expect, test } from "vitest";
import { criFailureOf, expectCode, failureOf } from "./helpers/expectations.js";
import { folder } from "./helpers/folder.js";
import { outputOf, waitForProcesses } from "./helpers/in-container.js";
import { journeys, sh, uniqueSeconds } from "./helpers/journeys.js";

journeys("exec", (fixture) => {
  const { traits } = fixture;

  test("returns every exit code as data", async () => {
    const container = await fixture.sharedContainer();
    for (const code of [0, 1, 2, 126, 127, 137, 255]) {
      expect(await container.execSync(sh(`exit ${code}`))).toEqual({ exitCode: code, stdout: "", stderr: "" });
    }
    expect((await container.execSync(sh("kill -9 $$"))).exitCode).toBe(137);
    expect((await container.execSync(sh("kill -15 $$"))).exitCode).toBe(143);
  });

  test("separates standard output from standard error, and passes arguments unchanged", async () => {
    const container = await fixture.sharedContainer();
    expect(await container.execSync(sh("echo out; echo err >&2; exit 3"))).toEqual({
      exitCode: 3,
      stdout: "out\n",
      stderr: "err\n",
    });
    const words = ["", "two words", "$HOME", "ünïcode ✓", "new\nline", "--", "'\""];
    expect((await container.execSync(["/bin/printf", "%s|", ...words])).stdout).toBe(
      words.map((w) => `${w}|`).join(""),
    );
  });

  test("returns all 256 byte values unchanged from both outputs as a buffer", async () => {
    const container = await fixture.sharedContainer();
    const all = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    const script = 'i=0; while [ $i -lt 256 ]; do printf "\\\\$(printf %03o $i)"; i=$((i+1)); done';
    const { stdout, stderr, exitCode } = await container.execSync(sh(`${script}; (${script}) >&2`), {
      encoding: "buffer",
    });
    expect(exitCode).toBe(0);
    expect(Buffer.from(stdout).equals(all)).toBe(true);
    expect(Buffer.from(stderr).equals(all)).toBe(true);
  });

  test("decodes output that is not UTF-8 with replacement characters", async () => {
    const container = await fixture.sharedContainer();
    expect((await container.execSync(["/bin/printf", "a\\377b"])).stdout).toBe("a\ufffdb");
  });

  test("returns 1 MiB from each output completely", async () => {
    const container = await fixture.sharedContainer();
    const size = 2 ** 20;
    const fill = (letter: string) => `head -c ${size} /dev/zero | tr '\\0' ${letter}`;
    const { stdout, stderr } = await container.execSync(sh(`${fill("o")}; ${fill("e")} >&2`));
    expect(stdout === "o".repeat(size)).toBe(true);
    expect(stderr === "e".repeat(size)).toBe(true);
  });

  test("each of many parallel commands gets its own result", async () => {
    const container = await fixture.sharedContainer();
    const codes = Array.from({ length: 12 }, (_, index) => index);
    const results = await Promise.all(codes.map((code) => container.execSync(sh(`echo ${code}; exit ${code}`))));
    expect(results).toEqual(codes.map((exitCode) => ({ exitCode, stdout: `${exitCode}\n`, stderr: "" })));
  });

  test("commandTimeoutSeconds kills the command if the runtime can, and the error says whether it was killed", async () => {
    await using at = await folder();
    await using container = await fixture.container(await fixture.sharedPod(), at.inside);
    const startedAt = performance.now();
    const seconds = uniqueSeconds();
    const failure = await expectCode(
      container.execSync(sh(`echo started > started; exec sleep ${seconds}`), { commandTimeoutSeconds: 1 }),
      "COMMAND_TIMED_OUT",
    );
    expect(performance.now() - startedAt).toBeGreaterThan(900);
    expect(failure).toMatchObject({ method: "RuntimeService/ExecSync", attempts: 1, mayHaveTakenEffect: true });
    expect(await outputOf(container, "cat started")).toBe("started");
    expect(String(failure)).toContain(traits.killsCommand === "never" ? "runs on" : "was killed");
    await waitForProcesses(container, `sleep ${seconds}`, traits.killsCommand === "never" ? 1 : 0);
  });

  test("rounds a fractional commandTimeoutSeconds up, because 0 would mean no limit", async () => {
    const container = await fixture.sharedContainer();
    const failure = await expectCode(
      container.execSync(["/bin/sleep", uniqueSeconds()], { commandTimeoutSeconds: 0.3 }),
      "COMMAND_TIMED_OUT",
    );
    expect(failure.message).toContain("within 1 s");
    expect((await container.execSync(["/bin/sleep", "1.2"], { commandTimeoutSeconds: 1.1 })).exitCode).toBe(0);
  });

  test("timeoutMs rejects with DEADLINE_EXCEEDED, and kills the command if the runtime can", async () => {
    const container = await fixture.sharedContainer();
    const seconds = uniqueSeconds();
    const call = criFailureOf(container.execSync(["/bin/sleep", seconds], { timeoutMs: 3_000 }));
    await waitForProcesses(container, `sleep ${seconds}`, 1);
    expect(await call).toMatchObject({ code: "DEADLINE_EXCEEDED", mayHaveTakenEffect: true });
    await waitForProcesses(container, `sleep ${seconds}`, traits.killsCommand === "never" ? 1 : 0);
  });

  test("an aborted call rejects with the signal's reason, and kills the command if the runtime can", async () => {
    const container = await fixture.sharedContainer();
    const abort = new AbortController();
    const seconds = uniqueSeconds();
    const call = failureOf(container.execSync(["/bin/sleep", seconds], { signal: abort.signal }));
    await waitForProcesses(container, `sleep ${seconds}`, 1);
    const reason = { not: "an error" };
    abort.abort(reason);
    expect(await call).toBe(reason);
    if (traits.killsCommand === "atLimitOrEnd") await waitForProcesses(container, `sleep ${seconds}`, 0);
  });

  test("throwOnNonZero rejects with an ExecError for a non-zero exit code", async () => {
    const container = await fixture.sharedContainer();
    const failure = await failureOf(container.execSync(sh("echo out; echo err >&2; exit 5"), { throwOnNonZero: true }));
    expect(failure).toBeInstanceOf(ExecError);
    expect(failure).toMatchObject({ code: "COMMAND_FAILED", exitCode: 5, stdout: "out\n", stderr: "err\n" });
    expect((await container.execSync(["true"], { throwOnNonZero: true })).exitCode).toBe(0);
  });

  test("rejects with COMMAND_NOT_FOUND if the program is missing", async () => {
    const container = await fixture.sharedContainer();
    await expectCode(container.execSync(["/no/such/program"]), "COMMAND_NOT_FOUND");
    await expectCode(container.execSync(["no-such-program"]), "COMMAND_NOT_FOUND");
  });

  test("rejects with FAILED_PRECONDITION in exited containers, and in created ones if the runtime refuses them", async () => {
    const pod = await fixture.sharedPod();
    await using created = await pod.createContainer(fixture.containerSpec());
    if (traits.execsInCreated) expect((await created.execSync(["true"])).exitCode).toBe(0);
    else await expectCode(created.execSync(["true"]), "FAILED_PRECONDITION");
    await using exited = await fixture.container(pod, { command: ["/bin/true"] });
    await exited.wait();
    await expectCode(exited.execSync(["true"]), "FAILED_PRECONDITION");
  });

  test("a command gets exit code 137 if its container is stopped", async () => {
    await using container = await fixture.container(await fixture.sharedPod());
    const seconds = uniqueSeconds();
    const command = container.execSync(["/bin/sleep", seconds]);
    await waitForProcesses(container, `sleep ${seconds}`, 1);
    await container.stop({ gracePeriodSeconds: 0 });
    expect((await command).exitCode).toBe(137);
  });

  test("returns the URLs of streaming sessions", async () => {
    const pod = await fixture.sharedPod();
    await using container = await fixture.container(pod);
    for (const url of [
      await fixture.cri.containers.get(container).execUrl(["true"]),
      await fixture.cri.containers.get(container).attachUrl(),
      await fixture.cri.pods.get(pod).portForwardUrl([80]),
    ]) {
      expect(url).toMatch(/^(https?:)?\/\/\S+\/(exec|attach|portforward)\/\S+$/);
    }
  });
});
