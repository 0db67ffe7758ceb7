/** The life of tasks on three runtimes: they run, are changed, fail, and are removed. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { condition, journeys, limit, onAll } from "../support/journeys.js";

for (const kind of ["full", "crds"] as const) {
  journeys("tasks", kind, (journey) => {
    test("Once: runs on each node, and reports exit codes and the end of the log", async () => {
      const { fleet } = journey;
      const name = journey.name();
      await fleet.create(name, {
        mode: "Once",
        template: journey.template("for i in 1 2 3; do echo line $i; done"),
        logTailLines: 2,
      });
      const task = await journey.until(name, { nodes: 3, succeeded: 3, failed: 0, running: 0 });
      expect(condition(task, "Complete")).toMatchObject({ status: "True", reason: "Succeeded" });
      const results = await journey.results(name);
      expect(results.map((result) => result?.status)).toMatchObject(
        onAll(
          {
            ...{ phase: "Succeeded", reason: "Completed", attempts: 1, exitCodes: { main: 0 } },
            logTail: "main: line 2\nmain: line 3",
          },
          journey,
        ),
      );
      const ended = results.map((result) => Date.parse(result?.status?.finishedAt ?? ""));
      const reported = Date.parse(condition(task, "Complete")?.lastTransitionTime ?? "");
      const delayMs = reported - Math.max(...ended);
      console.log(`the task was complete ${delayMs} ms after its last container had ended (${kind})`);
      // Two seconds on a machine with nothing else to do. A missed event would be noticed much later.
      expect(delayMs).toBeLessThan(10_000);
      await journey.remove(name);
    });

    test("Once: a failure is reported, and not tried again", async () => {
      const { fleet } = journey;
      const name = journey.name();
      await fleet.create(name, { mode: "Once", template: journey.template("echo no disk >&2; exit 3") });
      const task = await journey.until(name, { nodes: 3, failed: 3 });
      expect(condition(task, "Complete")).toMatchObject({ status: "True", reason: "Failed" });
      expect(condition(task, "Degraded")?.message).toContain("containerd-1.6: Error");
      expect((await journey.results(name)).map((result) => result?.status)).toMatchObject(
        onAll(
          { phase: "Failed", reason: "Error", attempts: 1, exitCodes: { main: 3 }, logTail: "main: no disk" },
          journey,
        ),
      );
      await journey.remove(name);
    });

    test("a template that no node can run is refused with the field", async () => {
      const name = journey.name();
      const template = journey.template("true");
      await journey.fleet.create(name, {
        template: { ...template, spec: { ...template.spec, containers: [{ image: "x" }] } },
      });
      await expect
        .poll(async () => (await journey.results(name)).map((result) => result?.status?.reason), limit)
        .toEqual(onAll("InvalidTemplate", journey));
      expect((await journey.results(name))[0]?.status?.message).toContain("spec.containers[0].name");
      await journey.remove(name);
    });

    test("KeepRunning: a new template replaces one pod after the other, and nothing is written afterwards", async () => {
      const { fleet } = journey;
      const name = await journey.keepRunning({ maxUnavailable: 1 });
      const before = await journey.pods(name);
      fleet.mostUnavailable.delete(name);
      await fleet.change(name, { template: journey.service("2") });
      const task = await journey.rolledOut(name);
      expect(condition(task, "Complete")).toMatchObject({ status: "True", reason: "Ready" });
      expect(fleet.mostUnavailable.get(name)).toBe(1);
      const after = await journey.pods(name);
      expect(after.map((pods) => pods.length)).toEqual([1, 1, 1]);
      expect(after).not.toEqual(before);

      const versions = await fleet.versions();
      await sleep(3_000);
      expect(await fleet.versions()).toEqual(versions);
      await journey.remove(name);
    });

    test("KeepRunning: a container that ends is started again in a new attempt", async () => {
      const name = journey.name();
      await journey.fleet.create(name, {
        ...{ mode: "KeepRunning", nodes: { names: ["containerd-2.1"] }, template: journey.template("sleep 1") },
      });
      await expect
        .poll(async () => (await journey.fleet.resultsOf(name))["containerd-2.1"]?.status?.attempts, limit)
        .toBeGreaterThan(1);
      await journey.remove(name);
    });

    test("Interval: runs again and again", async () => {
      const name = journey.name();
      await journey.fleet.create(name, {
        mode: "Interval",
        intervalSeconds: 2,
        template: journey.template("date +%s"),
      });
      await expect
        .poll(async () => (await journey.results(name)).every((result) => (result?.status?.attempts ?? 0) >= 3), limit)
        .toBe(true);
      await journey.remove(name);
    });

    test("nodes, concurrency and ttlSecondsAfterFinished", async () => {
      const name = journey.name();
      const values = ["containerd-1.6", "containerd-1.7"];
      await journey.fleet.create(name, {
        nodes: { selector: { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values }] } },
        ...{ concurrency: 1, ttlSecondsAfterFinished: 2, template: journey.template("sleep 1") },
      });
      const task = await journey.until(name, { nodes: 2, succeeded: 2 });
      const runs = Object.values(await journey.fleet.resultsOf(name)).map(({ status }) => status);
      const [first, second] = runs.sort((a, b) => ((a?.startedAt ?? "") < (b?.startedAt ?? "") ? -1 : 1));
      expect(Date.parse(second?.startedAt ?? "")).toBeGreaterThanOrEqual(Date.parse(first?.finishedAt ?? "") - 1);
      expect(task.status?.finishedAt).toBe(second?.finishedAt);
      await journey.expectNothingLeft(name);
    });

    test("each agent serves metrics of itself, of its client and of the runtime's pods", async () => {
      const { fleet } = journey;
      const name = await journey.keepRunning();
      for (const { agent } of fleet.nodes) {
        expect(await agent?.page("/readyz")).toEqual({ status: 200, body: "ok\n" });
        const { body } = (await agent?.page("/metrics")) ?? {};
        expect(body).toMatch(/^node_task_reconcile_seconds_count\{result="success"\} [1-9]/m);
        expect(body).toMatch(/^node_task_api_requests_total\{code="20[01]"\} [1-9]/m);
        expect(body).toMatch(new RegExp(`^container_memory_working_set_bytes\\{.*pod="${name}".*\\} [1-9]`, "m"));
        expect(body).toMatch(/^cri_client_call_duration_seconds_count\{.*ListPodSandbox.*\} [1-9]/m);
      }
      await journey.remove(name);
    });

    test("a task that is deleted and created again at once runs anew", async () => {
      const { fleet } = journey;
      const name = await journey.keepRunning();
      const before = await journey.pods(name);
      await fleet.remove(name);
      const again = () => fleet.create(name, { mode: "KeepRunning", template: journey.service() });
      await expect
        .poll(
          () =>
            again().then(
              () => "created",
              () => "exists",
            ),
          limit,
        )
        .toBe("created");
      await journey.until(name, { ready: 3 });
      const after = await journey.pods(name);
      expect(after.flat().filter((id) => before.flat().includes(id))).toEqual([]);
      await journey.remove(name);
    });
  });
}
