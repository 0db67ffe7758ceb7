import type { CommandModule } from "./command.js";

/** What the list of commands shows of a command, and how to load it. */
export interface CommandEntry {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  readonly group: "Inspect" | "Run" | "Interact" | "Clean up" | "Help";
  load(): Promise<CommandModule<never>>;
}

/** The commands in the order in which help lists them. */
export const commands: readonly CommandEntry[] = [
  {
    name: "doctor",
    summary: "check the runtime and this machine, and say what to do",
    group: "Inspect",
    load: async () => (await import("./commands/doctor.js")).doctor,
  },
  {
    name: "info",
    summary: "show the state of the runtime",
    group: "Inspect",
    load: async () => (await import("./commands/info.js")).info,
  },
  {
    name: "version",
    summary: "show the versions of this command and of the runtime",
    group: "Inspect",
    load: async () => (await import("./commands/version.js")).version,
  },
  {
    name: "ps",
    aliases: ["containers"],
    summary: "list containers",
    group: "Inspect",
    load: async () => (await import("./commands/ps.js")).ps,
  },
  {
    name: "pods",
    summary: "list pods",
    group: "Inspect",
    load: async () => (await import("./commands/pods.js")).pods,
  },
  {
    name: "images",
    summary: "list images",
    group: "Inspect",
    load: async () => (await import("./commands/images.js")).images,
  },
  {
    name: "inspect",
    summary: "print the status of containers, pods or images",
    group: "Inspect",
    load: async () => (await import("./commands/inspect.js")).inspect,
  },
  {
    name: "logs",
    summary: "print the logs of containers",
    group: "Inspect",
    load: async () => (await import("./commands/logs/logs.js")).logs,
  },
  {
    name: "top",
    summary: "show the busiest containers, live",
    group: "Inspect",
    load: async () => (await import("./commands/usage/top.js")).top,
  },
  {
    name: "stats",
    summary: "print the resource usage of containers or pods",
    group: "Inspect",
    load: async () => (await import("./commands/usage/stats.js")).stats,
  },
  {
    name: "events",
    summary: "follow the events of pods and containers",
    group: "Inspect",
    load: async () => (await import("./commands/events.js")).events,
  },
  {
    name: "run",
    summary: "run the pods of Kubernetes manifests, or one image",
    group: "Run",
    load: async () => (await import("./commands/run/run.js")).run,
  },
  {
    name: "wait",
    summary: "wait until containers have exited, or pods are ready",
    group: "Run",
    load: async () => (await import("./commands/wait.js")).wait,
  },
  {
    name: "pull",
    summary: "pull images",
    group: "Run",
    load: async () => (await import("./commands/pull.js")).pull,
  },
  {
    name: "exec",
    summary: "run a command in a container",
    group: "Interact",
    load: async () => (await import("./commands/exec.js")).exec,
  },
  {
    name: "attach",
    summary: "connect the terminal to the main process of a container",
    group: "Interact",
    load: async () => (await import("./commands/attach.js")).attach,
  },
  {
    name: "cp",
    summary: "copy files and folders into and out of containers",
    group: "Interact",
    load: async () => (await import("./commands/cp/cp.js")).cp,
  },
  {
    name: "port-forward",
    summary: "forward local ports to a pod",
    group: "Interact",
    load: async () => (await import("./commands/port-forward.js")).portForward,
  },
  {
    name: "stop",
    summary: "stop pods or containers",
    group: "Clean up",
    load: async () => (await import("./commands/stop.js")).stop,
  },
  {
    name: "rm",
    summary: "remove pods or containers",
    group: "Clean up",
    load: async () => (await import("./commands/rm.js")).rm,
  },
  {
    name: "rmi",
    summary: "remove images",
    group: "Clean up",
    load: async () => (await import("./commands/rmi.js")).rmi,
  },
  {
    name: "prune",
    aliases: ["gc"],
    summary: "remove unused containers, pods, images and logs",
    group: "Clean up",
    load: async () => (await import("./commands/prune/prune.js")).prune,
  },
  {
    name: "completion",
    summary: "print the script that completes command lines in a shell",
    group: "Help",
    load: async () => (await import("./commands/completion.js")).completion,
  },
];
