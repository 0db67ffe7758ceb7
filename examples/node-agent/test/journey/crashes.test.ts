/** Agents that are killed between any two steps: they lose nothing, and start nothing twice. */
import { expect, test } from "vitest";
import { journeys, limit, onAll } from "../support/journeys.js";

/** Every place where an agent can die: before and after each action, and between two. */
const points = [
  ...["createResult", "start", "report", "removePod", "releaseResult"].flatMap((action) => [
    ...[`before ${action}`, `after ${action}`],
  ]),
  // The first report says that the pod runs, the second that it has ended.
  ...["after keep", "between rounds", "before report:2", "after report:2"],
];

journeys("crashes", "full", (journey) => {
  test.each(points)(
    "three agents killed %s",
    async (point) => {
      const { nodes } = journey.fleet;
      const name = journey.name();
      await Promise.all(nodes.map((node) => node.agent?.end("SIGTERM")));
      const killed = await Promise.all(nodes.map((node) => node.start({ NODE_AGENT_KILL_AT: point })));
      // Runs long enough for two reports.
      await journey.fleet.create(name, { mode: "Once", template: journey.template("sleep 2; exit 3") });
      const haveFinished = async () => (await journey.fleet.task(name))?.status?.failed === nodes.length;
      const haveEnded = () => killed.every((agent) => agent.hasEnded);
      await expect.poll(async () => haveEnded() || (await haveFinished()), limit).toBe(true);
      // The other places are reached when the task is removed.
      const isRemoved = !haveEnded();
      if (isRemoved) await journey.fleet.remove(name);
      expect(await Promise.all(killed.map((agent) => agent.ended()))).toEqual(onAll("SIGKILL", journey));

      await Promise.all(nodes.map((node) => node.start()));
      if (!isRemoved) {
        await expect.poll(haveFinished, limit).toBe(true);
        expect((await journey.results(name)).map((result) => result?.status)).toMatchObject(
          onAll({ phase: "Failed", attempts: 1, exitCodes: { main: 3 } }, journey),
        );
        await journey.fleet.remove(name);
      }
      await journey.expectNothingLeft(name);
    },
    120_000,
  );
});
