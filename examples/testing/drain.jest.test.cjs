// jest: a grace period of 30 s on virtual time takes milliseconds. jest loads CommonJS without a flag.
const { FakeRuntime } = require("k8s-cri-client/testing");

/** The code under test: stops all containers of a pod at once. Returns the names of those that were killed. */
async function drain(cri, pod, gracePeriodSeconds) {
  const running = await cri.containers.list({ pod, state: "running" });
  await Promise.all(running.map(({ id }) => cri.containers.get(id).stop({ gracePeriodSeconds })));
  const ended = await Promise.all(running.map(({ id }) => cri.containers.get(id).status()));
  return ended.filter(({ exitCode }) => exitCode === 137).map(({ metadata }) => metadata.name);
}

let runtime;
let cri;
beforeEach(async () => {
  const onSignal = (name) => (name === "SIGTERM" ? "ignore" : 0);
  const run = ({ config }) => (config.metadata.name === "stubborn" ? { onSignal } : undefined);
  runtime = await FakeRuntime.start({ time: "virtual", run });
  cri = await runtime.connect();
});
afterEach(async () => {
  await cri.close();
  await runtime.stop();
});

test("kills a container that ignores SIGTERM after the grace period", async () => {
  const pod = await cri.pods.run({ name: "shop" });
  for (const name of ["web", "stubborn"]) await pod.runContainer({ name, image: "busybox:1.37" });

  const arrived = runtime.nextCall("StopContainer", ({ containerId }) => containerId === runtime.containers[1].id);
  const killed = drain(cri, pod, 30);
  await arrived;
  await runtime.advanceTime(29_000);
  expect((await cri.containers.list({ state: "running" })).map(({ metadata }) => metadata.name)).toEqual(["stubborn"]);
  await runtime.advanceTime(1_000);
  expect(await killed).toEqual(["stubborn"]);
});
