import fc from "fast-check";
import { CriClient, CriError } from "../../../src/index.js";
import { combinedFaults, fault } from "../faults.js";
import { callPlan } from "../operation.js";
import { connectOptions } from "../world.js";
import { pauseLength, type Steps, step, waitBeforeNext } from "./step.js";

const injectFaults = step(
  14,
  "inject faults",
  fc.oneof(
    { weight: 4, arbitrary: fc.array(fault, { minLength: 1, maxLength: 3 }) },
    { weight: 1, arbitrary: combinedFaults },
  ),
  (world, faults) => {
    for (const one of faults) world.inject(one);
  },
);

const disconnect = step(2, "disconnect clients", fc.constant({}), (world) => {
  world.disturb("clients disconnected");
  world.runtime.disconnectClients();
});

const kill = step(1, "kill the runtime", fc.record({ pause: pauseLength }), async (world, { pause }) => {
  if (!world.isUp) return;
  world.disturb("killed");
  world.isUp = false;
  world.hang = "none";
  await world.runtime.kill();
  if (pause !== "until settled") await waitBeforeNext(world, pause);
});

const restart = step(
  3,
  "restart the runtime",
  fc.record({
    keepState: fc.nat({ max: 5 }).map((n) => n > 0),
    containers: fc.constantFrom("running" as const, "lost" as const),
  }),
  async (world, options) => {
    world.disturb(
      `restarted ${options.keepState ? `with its state, containers ${options.containers}` : "without its state"}`,
    );
    world.hang = "none";
    const restarted = world.runtime.restart(options);
    if (!options.keepState) world.expectations.recordStateLoss();
    await restarted;
    // Objects that were created during the restart are lost as well.
    if (!options.keepState) world.expectations.recordStateLoss();
    world.isUp = true;
    world.truth.update();
  },
);

const wait = step(3, "wait", pauseLength, async (world, pause) => {
  await waitBeforeNext(world, pause);
});

const restore = step(2, "restore the runtime", fc.constant({}), (world) => world.restore());

const closeClient = step(1, "close the client", fc.constant({}), (world) => world.closeClient());

/** Connects another client, which verifies the runtime. */
const connectClient = step(
  1,
  "connect another client",
  fc.record({ plan: callPlan, pause: pauseLength }),
  async (world, { plan, pause }) => {
    const since = world.operations.length;
    const connectTimeoutMs = plan.timeoutMs ?? 500;
    world.begin("client.connect", { ...plan, timeoutMs: connectTimeoutMs }, async (call) => {
      const { signal, metadata = {} } = call.options(world.longLived.signal);
      const client = await CriClient.connect({
        ...connectOptions,
        defaults: { ...connectOptions.defaults, metadata },
        endpoint: world.runtime.endpoint,
        connectTimeoutMs,
        signal,
      });
      await client.close();
    });
    await waitBeforeNext(world, pause, since);
  },
);

/** Closes a client before or while it connects for its first call. */
const closeEarly = step(2, "close a client early", fc.nat({ max: 3 }), async (world, turns) => {
  const client = world.newClient();
  const call = client.version().then(
    () => {},
    (error: unknown) => {
      if (!CriError.is(error)) world.reportViolation(`a client that was closed early rejected with ${error}`);
    },
  );
  for (let turn = 0; turn < turns; turn++) await null;
  await client.close();
  await call;
});

export const disturbanceSteps: readonly Steps[] = [
  injectFaults,
  disconnect,
  kill,
  restart,
  wait,
  restore,
  closeClient,
  connectClient,
  closeEarly,
];
