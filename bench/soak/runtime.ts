/**
 * The runtime that a soak runs against: a running one, or one that the soak starts.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { nodeResourcesOf } from "../../test/runtime/helpers/node-resources.js";
import { childrenOf } from "../../test/runtime/lab/processes.js";
import type { HostMessage } from "./host.js";

/** A runtime, and information about it that CRI does not provide. */
export interface SoakRuntime extends AsyncDisposable {
  name: string;
  endpoint: string;
  /** An image with a shell and the usual commands. */
  image: string;
  /** Whether containers are processes of this machine, in its network, without images. */
  isFake: boolean;
  /** Lists the node resources of pods. Empty if this process cannot see them. */
  traces(): string[];
  /** Counts the processes of pods on the node. Undefined if this process cannot see them. */
  processes(): number | undefined;
}

/** Starts a containerd of the lab, or a fake. */
export async function ownRuntime(what: string): Promise<SoakRuntime> {
  // In its own process group, so that Ctrl-C does not end the runtime: the soak needs it for the clean-up.
  const child = spawn(
    process.execPath,
    [...process.execArgv, fileURLToPath(new URL("./host.ts", import.meta.url)), what],
    {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      detached: true,
    },
  );
  const close = async () => {
    const exit = once(child, "exit");
    if (child.connected) child.disconnect();
    if (child.exitCode === null && child.signalCode === null) await exit;
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

/** Uses a running runtime, without information about its node. */
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
  const settled = new AbortController();
  const ended = once(child, "exit", { signal: settled.signal }).then(
    ([code]): HostMessage => ({ failure: `the runtime's process ended with code ${code} before it was ready` }),
  );
  ended.catch(() => {});
  const sent = once(child, "message", { signal: settled.signal }).then(([message]) => message as HostMessage);
  sent.catch(() => {});
  try {
    return await Promise.race([sent, ended]);
  } finally {
    settled.abort();
  }
}
