import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RestartRuleManifest } from "../../../../src/kubernetes/manifest/container.js";
import type { ContainerPlan } from "../../../../src/kubernetes/planning/pod-plan-types.js";
import { latestOf } from "../../../../src/kubernetes/running/observed-pod.js";
import { planned, SimulatedPod } from "./simulated-pod.js";

const probe = { exec: { command: ["check"] } };
const init = (name: string) => planned(name, { kind: "init" });
const sidecar = (name: string, fields: Partial<ContainerPlan> = {}) => planned(name, { kind: "sidecar", ...fields });

describe("a pod", () => {
  test("starts with its sandbox and all main containers", () => {
    const pod = new SimulatedPod([planned("a"), planned("b")]);
    expect(pod.settle()).toEqual(["sandbox 0", "start a", "start b"]);
    expect(pod.settle()).toEqual([]);
  });

  test("runs init containers one by one", () => {
    const pod = new SimulatedPod([init("first"), init("second"), planned("main")]);
    expect(pod.settle()).toEqual(["sandbox 0", "start first"]);
    pod.exit("first", 0);
    expect(pod.settle()).toEqual(["start second"]);
    pod.exit("second", 1);
    expect(pod.settle()).toEqual(["start second"]);
    pod.exit("second", 0);
    expect(pod.settle()).toEqual(["start main"]);
  });

  test("fails if an init container fails that is never restarted", () => {
    const pod = new SimulatedPod([{ ...init("init"), restartPolicy: "Never" }, planned("main")], "Never");
    pod.settle();
    pod.exit("init", 1);
    expect(pod.settle()).toEqual(["finished"]);
  });

  test("starts the next container when a sidecar runs, or when its startup probe has passed", () => {
    const pod = new SimulatedPod([sidecar("fast"), sidecar("slow", { startupProbe: probe }), planned("main")]);
    expect(pod.settle()).toEqual(["sandbox 0", "start fast", "start slow"]);
    pod.probe("slow", { startup: true });
    expect(pod.settle()).toEqual(["start main"]);
  });

  test("restarts sidecars at any time, and ends them with the main containers", () => {
    const pod = new SimulatedPod([sidecar("proxy"), planned("main", { restartPolicy: "Never" })], "Never");
    pod.settle();
    pod.exit("proxy", 0);
    expect(pod.settle()).toEqual(["start proxy"]);
    pod.exit("main", 0);
    expect(pod.settle()).toEqual(["finished"]);
  });

  test("does not run init containers again when a main container restarts", () => {
    const pod = new SimulatedPod([init("init"), sidecar("proxy"), planned("main")]);
    pod.settle();
    pod.exit("init", 0);
    pod.settle();
    pod.exit("main", 1);
    expect(pod.settle()).toEqual(["start main"]);
  });

  test.each([
    ["Always", 0, true],
    ["Always", 1, true],
    ["OnFailure", 0, false],
    ["OnFailure", 1, true],
    ["Never", 0, false],
    ["Never", 1, false],
  ] as const)("of restartPolicy %s restarts a container with exit code %d: %s", (restartPolicy, code, restarts) => {
    const pod = new SimulatedPod([planned("main", { restartPolicy })], restartPolicy);
    pod.settle();
    pod.exit("main", code);
    expect(pod.settle()).toEqual([restarts ? "start main" : "finished"]);
  });

  // Measured: each message is from containerd, whose caller was killed during StartContainer.
  test.each([
    ['failed to start containerd task "4f": context canceled: unknown', true],
    ["failed to create containerd task: failed to create shim task: context canceled: unknown", true],
    ["failed to create containerd task: failed to start shim: start failed: : signal: killed: unknown", true],
    ["failed to create containerd task: failed to create shim task: OCI runtime create failed: no such file", false],
  ])("starts a container that never restarts again if its start ended with %s: %s", (message, restarts) => {
    const pod = new SimulatedPod(
      [{ ...init("init"), restartPolicy: "Never" }, planned("main", { restartPolicy: "Never" })],
      "Never",
    );
    pod.settle();
    pod.exit("init", 128, "StartError", message);
    expect(pod.settle()).toEqual([restarts ? "start init" : "finished"]);
    if (!restarts) return;
    pod.exit("init", 0);
    pod.settle();
    pod.exit("main", 128, "StartError", message);
    expect(pod.settle()).toEqual(["start main"]);
    pod.exit("main", 128, "Error", message);
    expect(pod.settle()).toEqual(["finished"]);
  });

  test("restarts by the first rule that matches", () => {
    const rules = [{ action: "Restart", exitCodes: { operator: "In", values: [42] } }] as const;
    const pod = new SimulatedPod([planned("main", { restartPolicy: "Never", restartPolicyRules: rules })], "Never");
    pod.settle();
    pod.exit("main", 42);
    expect(pod.settle()).toEqual(["start main"]);
    pod.exit("main", 41);
    expect(pod.settle()).toEqual(["finished"]);
  });

  test("restarts all containers for RestartAllContainers, init containers included", () => {
    const rules = [{ action: "RestartAllContainers", exitCodes: { operator: "NotIn", values: [0] } }] as const;
    const pod = new SimulatedPod([init("init"), planned("a", { restartPolicyRules: rules }), planned("b")]);
    pod.settle();
    pod.exit("init", 0);
    pod.settle();
    pod.exit("a", 3);
    expect(pod.settle()).toEqual(["stop b: RestartAllContainers", "start init"]);
    pod.exit("init", 0);
    expect(pod.settle()).toEqual(["start a", "start b"]);
    expect(latestOf(pod.observed, "b")?.attempt).toBe(1);
  });

  test.each(["liveness", "startup"] as const)("stops and restarts a container whose %s probe fails", (kind) => {
    const pod = new SimulatedPod([planned("main", { livenessProbe: probe, startupProbe: probe }), planned("other")]);
    pod.settle();
    pod.probe("main", { [kind]: false });
    const reason = kind === "liveness" ? "FailedLivenessProbe" : "FailedStartupProbe";
    expect(pod.settle()).toEqual([`stop main: ${reason}`, "start main"]);
  });

  test("does not restart a container after a failed probe with restartPolicy Never", () => {
    const pod = new SimulatedPod([planned("main", { livenessProbe: probe, restartPolicy: "Never" })], "Never");
    pod.settle();
    pod.probe("main", { liveness: false });
    expect(pod.settle()).toEqual(["stop main: FailedLivenessProbe", "finished"]);
  });

  test("replaces a sandbox that died, and starts from the beginning", () => {
    const pod = new SimulatedPod([init("init"), planned("main")]);
    pod.settle();
    pod.exit("init", 0);
    pod.settle();
    pod.loseSandbox();
    expect(pod.settle()).toEqual(["sandbox 1", "start init"]);
    pod.exit("init", 0);
    expect(pod.settle()).toEqual(["start main"]);
  });

  test("of restartPolicy Never does not get another sandbox", () => {
    const pod = new SimulatedPod([planned("main", { restartPolicy: "Never" })], "Never");
    pod.settle();
    pod.loseSandbox();
    expect(pod.settle()).toEqual(["finished"]);
  });

  test("that has succeeded does not get another sandbox", () => {
    const pod = new SimulatedPod([planned("main", { restartPolicy: "OnFailure" })], "OnFailure");
    pod.settle();
    pod.exit("main", 0);
    pod.loseSandbox();
    expect(pod.settle()).toEqual(["finished"]);
  });

  test.each(["created", "unknown"] as const)("starts another attempt of a container in the state %s", (state) => {
    const pod = new SimulatedPod([planned("main")]);
    pod.settle();
    pod.setState("main", state);
    const { start } = pod.actions();
    expect(start.map(({ name }) => name)).toEqual(["main"]);
  });
});

const policies = ["Always", "OnFailure", "Never"] as const;
const rule = fc.record({
  action: fc.constantFrom<RestartRuleManifest["action"]>("Restart", "RestartAllContainers"),
  exitCodes: fc.record({ operator: fc.constantFrom("In" as const, "NotIn" as const), values: fc.constant([2]) }),
});
const container = (kind: ContainerPlan["kind"], index: number) =>
  fc
    .record({
      restartPolicy: fc.constantFrom(...policies),
      restartPolicyRules: kind === "main" ? fc.array(rule, { maxLength: 1 }) : fc.constant([]),
      hasStartup: fc.boolean(),
      hasLiveness: fc.boolean(),
    })
    .map(({ hasStartup, hasLiveness, ...fields }) =>
      planned(`${kind}${index}`, {
        ...{ ...fields, kind },
        ...(kind === "sidecar" && { restartPolicy: "Always" as const }),
        ...(kind !== "init" && hasStartup && { startupProbe: probe }),
        ...(kind !== "init" && hasLiveness && { livenessProbe: probe }),
      }),
    );
const containers = fc
  .tuple(
    fc.array(fc.constantFrom("init" as const, "sidecar" as const), { maxLength: 3 }),
    fc.integer({ min: 1, max: 3 }),
  )
  .chain(([inits, mains]) =>
    fc.tuple(...[...inits, ...Array<"main">(mains).fill("main")].map((kind, index) => container(kind, index))),
  );
/** Something that happens to a random container or to the sandbox. */
const happening = fc.record({
  kind: fc.constantFrom("exit", "exit", "exit", "startup", "liveness", "sandbox"),
  target: fc.nat(5),
  code: fc.constantFrom(0, 0, 1, 2),
  passes: fc.boolean(),
});

test("any pod keeps the order of its containers, never runs a container twice, and never hangs", () => {
  fc.assert(
    fc.property(
      containers,
      fc.constantFrom(...policies),
      fc.array(happening, { maxLength: 40 }),
      (plan, policy, happenings) => {
        const pod = new SimulatedPod(plan, policy);
        const inits = plan.filter(({ kind }) => kind !== "main");
        for (const { kind, target, code, passes } of [...happenings]) {
          for (let round = 0; ; round++) {
            const actions = pod.actions();
            expect(pod.actions()).toEqual(actions);
            if (actions.stopPod && !actions.createSandbox) return;
            if (!actions.createSandbox && actions.stop.length + actions.start.length === 0) break;
            if (round > 20) throw new Error("the actions do not end");
            pod.perform(actions, (started) => {
              expect(pod.running.map(({ name }) => name)).not.toContain(started.name);
              const sandboxId = pod.observed.sandboxes[0]?.id;
              const before = started.kind === "main" ? inits : inits.slice(0, inits.indexOf(started));
              for (const earlier of before) {
                const latest = latestOf(pod.observed, earlier.name);
                expect(latest?.sandboxId).toBe(sandboxId);
                if (earlier.kind === "init") expect(latest).toMatchObject({ state: "exited", exitCode: 0 });
              }
            });
          }
          const { running } = pod;
          expect(running.length).toBeGreaterThan(0);
          const chosen = running[target % running.length]!;
          if (kind === "exit") pod.exit(chosen.name, code);
          else if (kind === "sandbox") {
            for (const { name } of running) pod.exit(name, 137);
            pod.loseSandbox();
          } else pod.probe(chosen.name, { [kind]: passes });
        }
      },
    ),
    { numRuns: 500 },
  );
});
