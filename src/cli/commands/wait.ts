import { Option } from "commander";
import { type Container, type CriClient, CriError, type PodSandbox } from "../../index.js";
import { ContainerState, PodSandboxState } from "../../proto.js";
import { type CommandModule, ExitError, type Invocation, UsageError } from "../command.js";
import { ownFailureOf } from "../failures.js";
import { printable } from "../output/table.js";
import { addSelectOptions, namesHelp, type Selected, type SelectOptions, selectAll } from "../select.js";
import { labels } from "../values.js";

const conditions = ["exited", "running", "ready", "notready", "removed"] as const;
type Condition = (typeof conditions)[number];

interface WaitOptions extends SelectOptions {
  for: Condition;
  label?: Record<string, string>;
}

/** What the command exits with at the limit of `--timeout`, as `timeout` of coreutils does. */
const timedOut = 124;

/** `wait`: waits until pods and containers are in a state. */
export const wait: CommandModule<WaitOptions> = {
  define(command) {
    command
      .argument("[NAME...]", "pods or containers")
      .addOption(
        new Option("--for <state>", "what to wait for; ready and notready are states of pods, running of containers")
          .choices(conditions)
          .default("exited"),
      )
      .option("-l, --label <selector>", "the pods with these labels, or the containers with --type container", labels);
    addSelectOptions(command);
    command.addHelpText(
      "after",
      `${namesHelp}
Prints the exit code of each container, and exits with the first one that is not 0. A pod has exited when all its
containers have. Exits with ${timedOut} at the limit of --timeout; without it, waits indefinitely, also while the
runtime restarts.

Examples:
  k8s-cri-client wait web/migrate --timeout 5m
  k8s-cri-client wait --for ready -l app=shop
  k8s-cri-client wait --for removed web`,
    );
  },

  async run(invocation, names, options) {
    const { timeout } = invocation.globals;
    try {
      const cri = await invocation.connect();
      const selected = await selectAll(cri, names, options);
      if (selected.length === 0) throw new ExitError("no pod or container has these labels", 1);
      for (const one of selected) checkCondition(one, options.for);
      const several = selected.length > 1;
      const codes = await Promise.all(selected.map((one) => report(invocation, cri, one, options.for, several)));
      return codes.find((code) => code !== 0) ?? 0;
    } catch (error) {
      if (timeout && CriError.is(error, "DEADLINE_EXCEEDED")) throw new ExitError(error.message, timedOut);
      throw ownFailureOf(error);
    }
  },
};

function checkCondition({ name, object: { kind } }: Selected, condition: Condition): void {
  const only = { running: "container", ready: "pod", notready: "pod" } as const;
  if (condition === "exited" || condition === "removed" || only[condition] === kind) return;
  throw new UsageError(`${printable(name)} is a ${kind}: --for ${condition} is for ${only[condition]}s`);
}

/** Waits for one pod or container, and prints its exit code or its name. Returns the exit code. */
async function report(
  { globals, print }: Invocation,
  cri: CriClient,
  { name, object }: Selected,
  condition: Condition,
  several: boolean,
): Promise<number> {
  const limit = { timeoutMs: globals.timeout };
  if (condition === "exited") {
    const code = await exitCodeOf(cri, object, limit);
    await print(several ? `${printable(name)} ${code}\n` : `${code}\n`);
    return code;
  }
  await untilState(cri, object, condition, limit);
  await print(`${printable(name)}\n`);
  return 0;
}

type Limit = { timeoutMs: number | undefined };

async function exitCodeOf(cri: CriClient, object: PodSandbox | Container, limit: Limit): Promise<number> {
  if (object.kind === "container") return (await object.wait(limit)).exitCode;
  const names = new Set((await object.containers()).map(({ metadata }) => `${object.id}/${metadata?.name}`));
  if (names.size === 0) throw new ExitError(`pod ${object.id} has no containers to wait for`, 1);
  // Only the latest attempt of each container counts: it has replaced the earlier ones.
  const latest = await cri.resolveAll([...names], { kind: "container" });
  const exits = await Promise.all(latest.map(({ id }) => cri.containers.get(id).wait(limit)));
  return exits.find(({ exitCode }) => exitCode !== 0)?.exitCode ?? 0;
}

async function untilState(
  cri: CriClient,
  object: PodSandbox | Container,
  condition: Exclude<Condition, "exited">,
  limit: Limit,
): Promise<void> {
  if (condition === "removed") {
    await cri
      .waitFor(object, () => false, limit)
      .catch((error: unknown) => {
        if (!CriError.is(error, "NOT_FOUND")) throw error;
      });
  } else if (object.kind === "pod") {
    const wanted = condition === "ready" ? PodSandboxState.SANDBOX_READY : PodSandboxState.SANDBOX_NOTREADY;
    await cri.waitFor(object, ({ state }) => state === wanted, limit);
  } else {
    await cri.waitFor(
      object,
      ({ state, exitCode }) => {
        if (state !== ContainerState.CONTAINER_EXITED) return state === ContainerState.CONTAINER_RUNNING;
        throw new ExitError(`container ${object.id} has exited with ${exitCode}, and will not run again`, 1);
      },
      limit,
    );
  }
}
