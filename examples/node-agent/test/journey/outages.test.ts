/** What goes wrong in a cluster: the API server, a runtime or an agent is away, writes conflict, and the CRDs change. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { install } from "../../cluster/install.js";
import { kubectl } from "../../cluster/kubectl.js";
import { results, tasks } from "../../src/api/api.js";
import { journeys, limit } from "../support/journeys.js";

for (const kind of ["full", "crds"] as const) {
  journeys("outages", kind, (journey) => {
    test("the API server is killed for 30 s in the middle of a roll-out", async () => {
      const { fleet } = journey;
      const name = await journey.keepRunning();
      fleet.mostUnavailable.delete(name);
      await fleet.change(name, { template: journey.service("2") });
      await journey.until(name, { updated: 1 });
      await fleet.server.kill();
      await sleep(30_000);
      // The pods run on, whoever is away.
      const running = await Promise.all(fleet.nodes.map((node) => node.readyPods()));
      expect(running.flat().filter((pod) => pod.name === name).length).toBeGreaterThanOrEqual(2);
      await fleet.server.resume();
      await journey.rolledOut(name);
      expect(fleet.mostUnavailable.get(name)).toBe(1);
      await journey.remove(name);
    }, 180_000);

    test("a task is changed and another deleted while the API server is about to die", async () => {
      const { fleet } = journey;
      const start = () => journey.keepRunning({ maxUnavailable: "100%" });
      const [changed, deleted] = await Promise.all([start(), start()]);
      await fleet.change(changed, { template: journey.service("2") });
      await fleet.remove(deleted);
      await fleet.server.kill();
      await fleet.server.resume();
      await journey.rolledOut(changed);
      await journey.expectNothingLeft(deleted);
      await journey.remove(changed);
    });

    test("containerd is killed: its pods run on, and are not started again", async () => {
      const { fleet } = journey;
      const name = await journey.keepRunning();
      const before = await journey.pods(name);
      const task = await fleet.task(name);
      for (const node of journey.nodeNames) await journey.control("kill", node);
      await sleep(3_000);
      for (const node of journey.nodeNames) await journey.control("start", node);
      await sleep(3_000);
      expect(await journey.pods(name)).toEqual(before);
      expect((await fleet.task(name))?.status).toMatchObject({ ready: task?.status?.ready });
      await fleet.change(name, { maxUnavailable: 3, template: journey.template("exit 0") });
      await expect
        .poll(async () => Object.values(await fleet.resultsOf(name)).map(({ status }) => status?.exitCodes), limit)
        .toEqual([{ main: 0 }, { main: 0 }, { main: 0 }]);
      await journey.remove(name);
    });

    test("containerd is away while a task is created and another deleted", async () => {
      const { fleet } = journey;
      const deleted = await journey.keepRunning();
      const created = journey.name();
      const [away = ""] = journey.nodeNames;
      await journey.control("kill", away);
      await fleet.remove(deleted);
      await fleet.create(created, { mode: "Once", template: journey.template("true") });
      await journey.until(created, { succeeded: 2 });
      await journey.control("start", away);
      await journey.until(created, { succeeded: 3 });
      await journey.expectNothingLeft(deleted);
      await journey.remove(created);
    });

    test("other writers change the objects all the time: conflicts are resolved", async () => {
      const { fleet } = journey;
      const name = journey.name();
      let isDone = false;
      const disturb = async () => {
        for (let round = 0; !isDone; round++) {
          const annotations = { "example.com/round": String(round) };
          await fleet.api.merge(tasks, { namespace: "default", name }, { metadata: { annotations } });
          for (const { metadata } of Object.values(await fleet.resultsOf(name))) {
            const result = { namespace: "default", name: metadata?.name ?? "" };
            await fleet.api.merge(results, result, { metadata: { annotations } });
          }
        }
      };
      const storm = Promise.all([disturb(), disturb(), disturb()]);
      await fleet.create(name, { mode: "KeepRunning", template: journey.service() });
      await journey.until(name, { ready: 3 });
      await fleet.change(name, { template: journey.service("2") });
      await journey.rolledOut(name);
      await fleet.remove(name);
      await journey.expectNothingLeft(name);
      isDone = true;
      await storm;
    });

    test("agents are replaced while tasks run: SIGTERM leaves the pods running, and the next process continues", async () => {
      const { fleet } = journey;
      const running = await journey.keepRunning();
      const ending = journey.name();
      await fleet.create(ending, { mode: "Once", template: journey.template("sleep 4; exit 5") });
      await journey.until(ending, { running: 3 });
      const before = await journey.pods(running);
      const codes = await Promise.all(fleet.nodes.map((node) => node.agent?.end("SIGTERM")));
      expect(codes).toEqual([0, 0, 0]);
      // The jobs end while no agent runs.
      await sleep(5_000);
      await Promise.all(fleet.nodes.map((node) => node.start()));
      await journey.until(ending, { failed: 3 });
      const codesOfJobs = Object.values(await fleet.resultsOf(ending)).map(({ status }) => status);
      expect(codesOfJobs).toMatchObject(Array(3).fill({ attempts: 1, exitCodes: { main: 5 } }));
      await journey.until(running, { ready: 3 });
      expect(await journey.pods(running)).toEqual(before);
      for (const name of [running, ending]) await journey.remove(name);
    });

    test("the controller is replaced in the middle of a roll-out", async () => {
      const { fleet } = journey;
      const name = await journey.keepRunning();
      fleet.mostUnavailable.delete(name);
      await fleet.change(name, { template: journey.service("2") });
      await journey.until(name, { updated: 1 });
      // That of another node has to wait until the lease expires.
      fleet.controllerPod = "controller-2";
      await fleet.controller.end("SIGKILL");
      await journey.rolledOut(name);
      expect(fleet.mostUnavailable.get(name)).toBe(1);
      await journey.remove(name);
    });

    test("the CRDs are upgraded while a task runs", async () => {
      const { fleet } = journey;
      const name = await journey.keepRunning();
      const before = await journey.pods(name);
      if (kind === "crds") {
        await install(fleet.server, "overlays/kubernetes-1.30");
        const faulty = fleet.create(journey.name(), { mode: "Interval", template: journey.template("true") });
        await expect(faulty).rejects.toMatchObject({
          code: 422,
          message: expect.stringContaining("needs intervalSeconds"),
        });
      } else {
        const column = { name: "Revision", type: "string", jsonPath: ".spec.revision" };
        const patch = [{ op: "add", path: "/spec/versions/0/additionalPrinterColumns/-", value: column }];
        const crd = "nodetaskresults.nodetask.example.com";
        await kubectl(["patch", "crd", crd, "--type=json", "--patch", JSON.stringify(patch)], fleet.server);
        expect(await kubectl(["get", "ntr"], fleet.server)).toContain("REVISION");
      }
      await fleet.change(name, { template: journey.service("2") });
      await journey.rolledOut(name);
      expect(await journey.pods(name)).not.toEqual(before);
      await journey.remove(name);
    });
  });
}
