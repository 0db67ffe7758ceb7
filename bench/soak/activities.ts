/**
 * The activities of a soak. Each one opens, uses and closes something, and checks the results.
 *
 * @module
 */
import { randomBytes, randomInt } from "node:crypto";
import { rm } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { CriClient, CriError } from "k8s-cri-client";
import { CuttingProxy } from "../../test/runtime/helpers/cutting-proxy.js";
import { download } from "./download.js";
import { Stage, shell } from "./stage.js";

/** Runs one pass. Resolves with the number of bytes that it transferred. Rejects if a check fails. */
export type Activity = (stage: Stage) => Promise<number>;

/** Creates, uses and removes a pod with a container. */
async function lifecycle(stage: Stage): Promise<number> {
  const name = stage.name("pod");
  const spec = { name, namespace: Stage.namespace, hostNetwork: randomInt(2) === 0 };
  await using pod = await stage.cri.pods.run(spec);
  await using container = await pod.runContainer(idle(stage));
  const { stdout } = await container.execSync(shell(`echo ${name}`));
  expect(stdout === `${name}\n`, `a command printed ${stdout}`);
  const [listed] = await stage.cri.pods.list({ name, namespace: Stage.namespace });
  expect(listed?.id === pod.id, "the list does not contain the pod");
  await container.stop();
  return stdout.length;
}

/** Waits for a container that exits. */
async function exit(stage: Stage): Promise<number> {
  const code = randomInt(256);
  await using container = await stage.pod.runContainer({ ...idle(stage), command: shell(`exit ${code}`) });
  const { exitCode } = await container.wait();
  expect(exitCode === code, `exit code ${exitCode} instead of ${code}`);
  return 0;
}

/** Runs a command with the ExecSync RPC. */
async function execSync(stage: Stage): Promise<number> {
  const { stdout, exitCode } = await stage.web.execSync(shell("yes | head -c 100000; exit 3"));
  expect(exitCode === 3 && stdout.length === 100_000, `execSync: ${exitCode}, ${stdout.length} bytes`);
  return stdout.length;
}

/** Sends data through a session and back. */
async function session(stage: Stage): Promise<number> {
  const data = randomBytes(256 * 1_024);
  const transport = randomInt(2) === 0 ? "spdy" : "websocket";
  // A client cannot end the input over WebSocket, so the command reads a fixed size.
  const command = transport === "spdy" ? ["cat"] : ["head", "-c", String(data.length)];
  await using exec = await stage.web.exec(command, { stdin: true, transport });
  if (transport === "spdy") exec.stdin.end(data);
  else exec.stdin.write(data);
  const output = await buffer(exec.stdout);
  const { exitCode } = await exec.exit;
  expect(exitCode === 0 && output.equals(data), `${transport}: ${exitCode}, ${output.length} bytes`);
  return 2 * data.length;
}

/** Follows a log through a rotation: no line is missing or repeated. */
async function logs(stage: Stage): Promise<number> {
  let next: number | undefined;
  let bytes = 0;
  let left = 100;
  const rotation = sleep(500).then(() => stage.writer.rotateLog());
  // The await below throws a rejection.
  rotation.catch(() => {});
  for await (const { text } of stage.writer.logs({ follow: true, tailLines: 1 })) {
    const number = Number(text.slice("line ".length));
    expect(next === undefined || number === next, `line ${number} after line ${(next ?? 0) - 1}`);
    next = number + 1;
    bytes += text.length;
    if (--left === 0) break;
  }
  await rm(await rotation);
  return bytes;
}

/** Downloads from a server through a local port. */
async function portForward(stage: Stage): Promise<number> {
  const transport = randomInt(2) === 0 ? "spdy" : "websocket";
  await using forward = stage.pod.portForward(stage.port, { transport });
  await using listener = await forward.listen();
  const lengths = await Promise.all([1, 2].map(() => download(listener.address.port)));
  return lengths.reduce((sum, length) => sum + length);
}

/** Watches the usage for a few samples. */
async function stats(stage: Stage): Promise<number> {
  let left = 4;
  for await (const { containers } of stage.cri.stats.watch({ intervalMs: 500, pod: stage.pod })) {
    expect(containers.length >= 2, `${containers.length} containers with statistics`);
    if (--left === 0) break;
  }
  return 0;
}

/** Opens and closes a view and a stream of events. */
async function events(stage: Stage): Promise<number> {
  await using view = stage.cri.watch();
  await view.ready;
  expect(view.pods.has(stage.pod.id), "the view does not contain the pod");
  await using stream = stage.cri.events();
  await stream.ready;
  await using container = await stage.pod.createContainer(idle(stage));
  for await (const event of stream) if (event.type === "containerAdded" && event.container.id === container.id) break;
  return 0;
}

/** Cuts the connection of a client, and closes the client during calls. */
async function disconnects(stage: Stage): Promise<number> {
  await using proxy = await CuttingProxy.start(stage.runtime.endpoint);
  const cri = await CriClient.connect({ endpoint: proxy.endpoint });
  try {
    for (const cut of ["after-request", "before-reply"] as const) {
      proxy.cutNext("ListContainers", cut);
      const containers = await cri.containers.list({ pod: stage.pod });
      expect(containers.length >= 2, `${containers.length} containers after a cut`);
    }
    const container = cri.containers.get(stage.web.id);
    // The command is short: containerd does not kill it if the client disconnects while it starts.
    const lost = container.execSync(["sleep", "15"]).catch((error: unknown) => error);
    const abort = new AbortController();
    const aborted = await container.exec(["sleep", "1000"], { signal: abort.signal, killOnAbort: true });
    const end = aborted.exit.catch((error: unknown) => error);
    await sleep(100);
    abort.abort(new Error("enough"));
    expect((await end) === abort.signal.reason, `an aborted session: ${await end}`);
    await cancelled(cri, stage);
    await cri.close();
    expect(CriError.is(await lost, "CLIENT_CLOSED"), `a command whose client was closed: ${await lost}`);
  } finally {
    await cri.close();
  }
  return 0;
}

/** Aborts the creation of a pod. */
async function cancelled(cri: CriClient, stage: Stage): Promise<void> {
  const reason = new Error("cancelled");
  const abort = new AbortController();
  setTimeout(() => abort.abort(reason), randomInt(200));
  const spec = { name: stage.name("cancelled"), namespace: Stage.namespace, hostNetwork: true };
  try {
    await using _pod = await cri.pods.run(spec, { signal: abort.signal });
  } catch (error) {
    expect(error === reason, `a cancelled run: ${error}`);
    // Removes a pod that the runtime created after the call had stopped searching for it.
    for (const { id } of await cri.pods.list({ name: spec.name, namespace: spec.namespace })) {
      await cri.pods.get(id).stop();
      await cri.pods.remove(id);
    }
  }
}

/** All activities by name. */
export const activities: Readonly<Record<string, Activity>> = {
  "pod lifecycle": lifecycle,
  "container exit": exit,
  execSync,
  "exec session": session,
  "log following": logs,
  "port-forward": portForward,
  "stats watch": stats,
  "events watch": events,
  disconnects,
};

function idle(stage: Stage) {
  const command = ["sleep", "1000"];
  return { name: stage.name("c"), image: stage.runtime.image, command, terminationGracePeriodSeconds: 0 };
}

function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}
