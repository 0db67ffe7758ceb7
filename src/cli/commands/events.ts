import { InvalidArgumentError, Option } from "commander";
import { CriError, type CriEvent, messageToJson } from "../../index.js";
import { Container as ContainerMessage, PodSandbox as PodMessage } from "../../proto.js";
import { type CommandModule, ExitError } from "../command.js";
import { podName } from "../output/cells.js";
import { jsonLine } from "../output/format.js";
import { printable } from "../output/table.js";
import { labels } from "../values.js";

const types = [
  "podAdded",
  "podUpdated",
  "podRemoved",
  "containerAdded",
  "containerStarted",
  "containerExited",
  "containerUpdated",
  "containerRemoved",
  "resync",
] as const satisfies readonly CriEvent["type"][];

interface EventsOptions {
  pod?: string;
  container?: string;
  namespace?: string;
  label?: Record<string, string>;
  type?: readonly CriEvent["type"][];
  initial?: boolean;
  output: "table" | "json";
}

/** `events`: follows the events of pods and containers. */
export const events: CommandModule<EventsOptions> = {
  define(command) {
    command
      .option("-p, --pod <name>", "only this pod and its containers")
      .option("-c, --container <name>", "only containers with this name, or this beginning of an id")
      .option("-n, --namespace <name>", "only pods of this namespace, and their containers")
      .option("-l, --label <selector>", "only pods with these labels, and their containers", labels)
      .option("-t, --type <types>", "only these types, such as containerExited,podRemoved", eventTypes)
      .option("--initial", "begin with a resync event, which lists all pods and containers")
      .addOption(
        new Option("-o, --output <format>", "how to print: json is one object a line")
          .choices(["table", "json"])
          .default("table"),
      );
    command.addHelpText(
      "after",
      `
Continues until Ctrl-C, also while the runtime restarts: a resync event then lists all pods and containers. With
--timeout, it ends after that time with exit code 124.
Types: ${types.slice(0, 5).join(", ")},
${types.slice(5).join(", ")}.

Examples:
  k8s-cri-client events -n shop
  k8s-cri-client events -t containerExited -o json | jq 'select(.exitCode != 0)'`,
    );
  },

  async run(invocation, _, { pod, container, namespace, label, type, initial = false, output }) {
    const { globals, print } = invocation;
    const cri = await invocation.connect();
    const target = pod === undefined ? undefined : await cri.pods.resolve(pod, { namespace });
    // The first event is the state of the node, which has the names of the pods of later containers.
    const stream = cri.events({ pod: target, namespace, labels: label, initial: true, timeoutMs: globals.timeout });
    const format = new EventFormat();
    try {
      for await (const event of stream) {
        format.remember(event);
        const isHidden = event.type === "resync" && event.reason === "initial" && !initial;
        const isSelected = (type?.includes(event.type) ?? true) && (container === undefined || isOf(event, container));
        if (isSelected && !isHidden) {
          await print(output === "json" ? jsonLine(format.json(event)) : format.line(event));
        }
        format.forget(event);
      }
    } catch (error) {
      if (globals.timeout && CriError.is(error, "DEADLINE_EXCEEDED")) throw new ExitError(error.message, 124);
      throw error;
    }
  },
};

function eventTypes(text: string, previous: readonly CriEvent["type"][] = []): readonly CriEvent["type"][] {
  const given = text.split(",").map((name) => {
    const found = types.find((type) => type.toLowerCase() === name.trim().toLowerCase());
    if (found === undefined) throw new InvalidArgumentError(`It must be one of ${types.join(", ")}.`);
    return found;
  });
  return [...previous, ...given];
}

function isOf(event: CriEvent, container: string): boolean {
  if (!("container" in event)) return false;
  const { id, metadata } = event.container;
  return metadata?.name === container || id.startsWith(container);
}

/** Formats events, with the names of the pods of containers. */
class EventFormat {
  /** The names of pods by id, with their namespaces. */
  readonly #podNames = new Map<string, string>();

  /** Remembers the pods of an event. */
  remember(event: CriEvent): void {
    if ("pod" in event) this.#podNames.set(event.pod.id, podName(event.pod));
    if (event.type !== "resync") return;
    this.#podNames.clear();
    for (const [id, pod] of event.pods) this.#podNames.set(id, podName(pod));
  }

  /** Forgets a pod that was removed. */
  forget(event: CriEvent): void {
    if (event.type === "podRemoved") this.#podNames.delete(event.pod.id);
  }

  /** A line for a person. */
  line(event: CriEvent): string {
    const parts = [event.at.toISOString(), event.type.padEnd(16), ...this.#subject(event)];
    return `${printable(parts.join("  "))}\n`;
  }

  #subject(event: CriEvent): string[] {
    if (event.type === "resync") {
      return [`${event.reason}: ${event.pods.size} pods, ${event.containers.size} containers`];
    }
    if ("pod" in event) return [podName(event.pod) || event.pod.id];
    const { id, metadata, podSandboxId, image } = event.container;
    const name = `${this.#podNames.get(podSandboxId) ?? podSandboxId.slice(0, 13)}/${metadata?.name ?? id}`;
    if (event.type === "containerExited") return [name, `exit code ${event.exitCode ?? "unknown"}`];
    return event.type === "containerAdded" ? [name, image?.userSpecifiedImage || image?.image || ""] : [name];
  }

  /** Plain data. Pods and containers have crictl's JSON. */
  json(event: CriEvent): object {
    const { type, at } = event;
    if (event.type === "resync") {
      const pods = [...event.pods.values()].map((pod) => messageToJson(PodMessage, pod));
      const containers = [...event.containers.values()].map((one) => messageToJson(ContainerMessage, one));
      return { type, at, reason: event.reason, pods, containers };
    }
    if ("pod" in event) return { type, at, pod: messageToJson(PodMessage, event.pod) };
    const pod = this.#podNames.get(event.container.podSandboxId);
    const exitCode = event.type === "containerExited" ? { exitCode: event.exitCode } : {};
    return { type, at, podName: pod, container: messageToJson(ContainerMessage, event.container), ...exitCode };
  }
}
