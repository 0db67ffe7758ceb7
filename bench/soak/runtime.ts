/**
 * The runtime that a soak runs against: one that is there, or one of the soak's own.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { nodeResourcesOf } from "../../test/runtime/helpers/node-resources.js";
import { childrenOf } from "../../test/runtime/lab/processes.js";
import type { HostMessage } from "./host.js";

/** Where to find a runtime, and what there is to know of it besides what it says itself. */
export interface SoakRuntime extends AsyncDisposable {
  name: string;
  endpoint: string;
  /** An image with a shell and the usual small programs. */
  image: string;
  /** Containers are processes of this machine, in its network, without images. */
  isFake: boolean;
  /** What pods have on the node, as far as that can be seen from here. */
  traces(): string[];
  /** How many processes pods have on the node; undefined where that cannot be seen. */
  processes(): number | undefined;
}

/** Brings up a containerd of the lab, or a fake. */
export async function ownRuntime(what: string): Promise<SoakRuntime> {
  // In a process group of its own: Ctrl-C is meant for the soak, which has to be able to clean up.
  const child = spawn(
    process.execPath,
    [...process.execArgv, fileURLToPath(new URL("./host.ts", import.meta.url)), what],
    {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      detached: true,
    },
  );
  const close = async () => {
    const gone = once(child, "exit");
    if (child.connected) child.disconnect();
    if (child.exitCode === null && child.signalCode === null) await gone;
  };
  const message = await firstMessage(child);
  if ("failure" in message) {
    await close();
    throw new Error(message.failure);
  }
  const { name, endpoint, image } = message;
  const isFake = what === "fake";
  const pid = child.pid ?? 0;
  const before = isFake ? childrenOf(pid).length : 0;
  const processes = () =>
    isFake
      ? childrenOf(pid).length - before
      : nodeResourcesOf(endpoint).filter(({ kind }) => kind === "process").length;
  const traces = () => (isFake ? [] : nodeResourcesOf(endpoint).map(({ kind, name: what }) => `${kind} ${what}`));
  return { name, endpoint, image, isFake, traces, processes, [Symbol.asyncDispose]: close };
}

/** A runtime that is there already: nothing is known of its node. */
export function givenRuntime(endpoint: string, image: string): SoakRuntime {
  return {
    name: endpoint,
    endpoint,
    image,
    isFake: false,
    traces: () => [],
    processes: () => undefined,
    [Symbol.asyncDispose]: async () => {},
  };
}

async function firstMessage(child: ChildProcess): Promise<HostMessage> {
  const gone = new AbortController();
  const ended = once(child, "exit", { signal: gone.signal }).then(
    ([code]): HostMessage => ({ failure: `the runtime's process ended with code ${code} before it was ready` }),
  );
  ended.catch(() => {});
  const told = once(child, "message", { signal: gone.signal }).then(([message]) => message as HostMessage);
  told.catch(() => {});
  try {
    return await Promise.race([told, ended]);
  } finally {
    gone.abort();
  }
}
