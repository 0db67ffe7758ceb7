import { unlink } from "node:fs/promises";
import type { CallOptions } from "../../options.js";
import { removeContainer, removePod } from "../../resources/stopping.js";
import { startBudget } from "../../rpcs/budget.js";
import { log } from "../../transport/logging.js";
import type { ObservedContainer, ObservedPod } from "./observed-pod.js";
import type { RunnerContext } from "./runner-context.js";
import { messageOf } from "./start-failure.js";

/** How long dead attempts stay: a kubelet collects its garbage once a minute. Meanwhile, their logs can be read. */
const minAgeMs = 60_000;

/** The most dead attempts of a container that stay, however young they are. */
const maxDead = 5;

/**
 * Removes what a restarted pod no longer needs, as a kubelet does: all dead attempts of a container but the latest one, with their
 * logs and termination messages, and dead sandboxes without containers. A failure is only logged: the next call tries again.
 *
 * @returns when the next attempt becomes old enough; undefined if none is left
 */
export async function pruneAttempts(
  { client, plan, clock }: RunnerContext,
  observed: ObservedPod,
  options: CallOptions & { signal: AbortSignal },
): Promise<number | undefined> {
  const { connection } = client;
  const dead = new Map<string, number>();
  const usedSandboxes = new Set([observed.sandboxes[0]?.id]);
  const surplus: ObservedContainer[] = [];
  const later: number[] = [];
  for (const container of observed.containers) {
    const { name, state, finishedAt, createdAt, sandboxId } = container;
    const isDead = state === "exited" || state === "created";
    const newer = dead.get(name) ?? 0;
    if (isDead) dead.set(name, newer + 1);
    const removableAt = newer >= maxDead ? 0 : (finishedAt || createdAt) + minAgeMs;
    if (isDead && newer > 0 && removableAt <= clock.now()) surplus.push(container);
    else usedSandboxes.add(sandboxId);
    if (isDead && newer > 0 && removableAt > clock.now()) later.push(removableAt);
  }
  const attempt = async (what: string, work: () => Promise<void>) => {
    try {
      await work();
      return true;
    } catch (error) {
      options.signal.throwIfAborted();
      const fields = { endpoint: connection.endpoint, object: what, error: messageOf(error) };
      log(connection.options.logger, "warn", "an old attempt of a pod could not be removed", fields);
      return false;
    }
  };
  for (const { id, name, attempt: number, logPath, sandboxId } of surplus) {
    const isRemoved = await attempt(id, () =>
      removeContainer(connection, id, 0, startBudget(connection, options, undefined)),
    );
    if (!isRemoved) usedSandboxes.add(sandboxId);
    const message = plan.containers.find((one) => one.name === name)?.terminationMessagePath(number);
    const files = isRemoved ? [logPath, message].filter((path) => path?.startsWith("/")) : [];
    for (const path of files) await unlink(path as string).catch(() => {});
  }
  for (const { id, ready } of observed.sandboxes) {
    if (ready || usedSandboxes.has(id)) continue;
    await attempt(id, () => removePod(connection, id, () => 0, startBudget(connection, options, undefined)));
  }
  return later.length > 0 ? Math.min(...later) : undefined;
}
