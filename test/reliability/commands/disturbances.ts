import fc from "fast-check";
import { CriClient } from "../../../src/index.js";
import { fault } from "../faults.js";
import { howToCall } from "../operation.js";
import { connectOptions } from "../world.js";
import { letPass, moment, type Steps, step } from "./step.js";

const injectFaults = step(14, "inject faults", fc.array(fault, { minLength: 1, maxLength: 2 }), (world, faults) => {
  for (const one of faults) world.inject(one);
});

const disconnect = step(2, "disconnect clients", fc.constant({}), (world) => {
  world.trouble("clients disconnected");
  world.runtime.disconnectClients();
});

const kill = step(1, "kill the runtime", fc.record({ pause: moment }), async (world, { pause }) => {
  if (!world.isUp) return;
  world.trouble("killed");
  world.isUp = false;
  world.hasHung = "no";
  await world.runtime.kill();
  if (pause !== "until settled") await letPass(world, pause);
});

const restart = step(
  3,
  "restart the runtime",
  fc.record({
    keepState: fc.nat({ max: 5 }).map((n) => n > 0),
    containers: fc.constantFrom("running" as const, "lost" as const),
  }),
  async (world, options) => {
    world.trouble(
      `restarted ${options.keepState ? `with its state, containers ${options.containers}` : "without its state"}`,
    );
    world.hasHung = "no";
    const restarted = world.runtime.restart(options);
    if (!options.keepState) world.expectations.stateLost();
    await restarted;
    // What was created while it went down is lost as well.
    if (!options.keepState) world.expectations.stateLost();
    world.isUp = true;
    world.truth.look();
  },
);

const calm = step(3, "let it settle", moment, async (world, how) => {
  await letPass(world, how);
});

const heal = step(2, "heal", fc.constant({}), (world) => world.heal());

const closeClient = step(1, "close the client", fc.constant({}), (world) => world.closeClient());

/** Another client, which verifies that the runtime is there. */
const connectClient = step(
  1,
  "connect another client",
  fc.record({ how: howToCall, pause: moment }),
  async (world, { how, pause }) => {
    const since = world.operations.length;
    world.begin("client.connect", { ...how, timeoutMs: how.timeoutMs ?? 500 }, async (it) => {
      const { timeoutMs: connectTimeoutMs, signal } = {
        timeoutMs: how.timeoutMs ?? 500,
        ...it.options(world.longLived.signal),
      };
      const { metadata = {} } = it.options(world.longLived.signal);
      const client = await CriClient.connect({
        ...connectOptions,
        defaults: { ...connectOptions.defaults, metadata },
        endpoint: world.runtime.endpoint,
        connectTimeoutMs,
        signal,
      });
      await client.close();
    });
    await letPass(world, pause, since);
  },
);

export const disturbanceSteps: readonly Steps[] = [
  injectFaults,
  disconnect,
  kill,
  restart,
  calm,
  heal,
  closeClient,
  connectClient,
];
