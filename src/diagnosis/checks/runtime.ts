import type { RuntimeCondition } from "../../proto.js";
import { type Finding, finding } from "../finding.js";
import { examine, restart } from "../service-unit.js";
import type { Subject } from "../subject.js";

/** Differences of runtimes that surprise their users. docs/runtimes.md has them all. */
const knownTrouble: readonly { runtime: RegExp; trouble: string }[] = [
  {
    runtime: /^containerd v?1\.6\./,
    trouble: "the image of pod sandboxes is not pinned: other programs may remove it",
  },
  {
    runtime: /^containerd v?1\./,
    trouble: "a change of a pod is found by polling, up to a second later, because events are missing or unreliable",
  },
  {
    runtime: /^cri-o /,
    trouble: "after a crash, it may report a container as running for ever: give wait() a time limit",
  },
  { runtime: /^cri-o /, trouble: "an identityToken is ignored: use a user name and password for registries" },
  { runtime: /^docker /, trouble: "port-forward needs the program socat on the node" },
  { runtime: /^docker /, trouble: "pods have no statistics, and there are no events: changes are found by polling" },
  { runtime: /^docker /, trouble: "the log of a container is removed with the container" },
];

/** Checks the version of the runtime and its conditions, except for the network. */
export function checkRuntime({ version, status, endpoint }: Subject): Finding[] {
  const { runtimeName, runtimeVersion } = version;
  const name = `${runtimeName} ${runtimeVersion}`;
  const details = knownTrouble.filter(({ runtime }) => runtime.test(name)).map(({ trouble }) => trouble);
  const conditions = status.status?.conditions ?? [];
  const ready = conditions.find(({ type }) => type === "RuntimeReady");
  const others = conditions.filter(({ type, status }) => !status && type !== "RuntimeReady" && type !== "NetworkReady");
  return [
    ready?.status === false
      ? finding("runtime", "failure", `${name} is not ready${because(ready)}`, {
          details,
          remedy: "Wait if the runtime is starting; otherwise read its log and restart it.",
          commands: [...examine(endpoint), restart(endpoint)],
        })
      : finding("runtime", "ok", `${name}${ready ? " is ready" : ""}`, { details }),
    ...others.map((condition) => warningOf(condition)),
  ];
}

/** Reports a condition of the runtime's own, such as the deprecation warnings of containerd. */
function warningOf(condition: RuntimeCondition): Finding {
  return finding("runtime", "warning", `${condition.type} is false${because(condition)}`, {
    details: messagesIn(condition.message),
    remedy: "Follow the message of the runtime. It may concern its configuration, or an upgrade.",
  });
}

/** Returns the values of a message that is a JSON object, which containerd uses for deprecation warnings. */
function messagesIn(message: string): string[] {
  try {
    const values: unknown[] = Object.values(JSON.parse(message));
    return values.filter((value) => typeof value === "string");
  } catch {
    return [];
  }
}

/** Formats reason and message of a condition. */
export function because({ reason, message }: RuntimeCondition): string {
  const parts = [reason, messagesIn(message).length > 0 ? "" : message].filter((part) => part !== "");
  return parts.map((part) => `: ${part}`).join("");
}
