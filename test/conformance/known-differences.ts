/**
 * The journeys in which FakeRuntime, with processes of this machine as containers, differs from the runtime that it imitates. Every
 * other journey of test/runtime must pass on fakes as well.
 *
 * @module
 */
import type { FakeFlavor } from "k8s-cri-client/testing";

/** Journeys that fail on a fake, or must not run on it. */
export interface KnownDifference {
  /** The file in test/runtime, without `.test.ts`. */
  readonly file: string;
  /** Full titles of tests, or patterns. The title of a test in a nested `describe` is `outer > inner`. */
  readonly tests: readonly (string | RegExp)[];
  /** @defaultValue all of them */
  readonly flavors?: readonly FakeFlavor[];
  /**
   * - A pattern: the journey runs and must fail with a matching error message. If the journey passes, the run fails until the entry
   *   is removed.
   * - `notRun`: the journey does not run, because its commands need the isolation of a container. They would read or change the
   *   test machine.
   */
  readonly outcome: RegExp | "notRun";
  /** The reason, in one sentence. */
  readonly why: string;
}

/** Files whose journeys cannot run on a fake, with the reason. */
export const otherFiles: Readonly<Record<string, string>> = {
  lab: "It tests the lab itself.",
  tracing: "It starts containerd with tracing.",
  "lab-teardown": "It tests the lab itself.",
  examples: "test/integration runs the examples on a fake.",
  "documented-code": "test/package runs the code of the pages on a fake.",
  "manifest-crashes": "It counts the resources that pods leave on a real node.",
  "recorded-pods": "A fake has no mounts, users and control groups that a container could see.",
  "manifest-contents": "A fake has no mounts, users and control groups that a container could see.",
  "hostile-registry": "A fake does not connect to registries. It follows a rule for each reference.",
  "registry-logins": "A fake does not connect to registries. It follows a rule for each reference.",
  "disk-full": "A fake stores nothing on a disk that could be full.",
  "crash-rounds": "It counts the resources that killed runtimes leave on a real node.",
  "many-pods": "It measures a real node with many pods.",
  "message-limits": "It tests the message limits of real runtimes; test/integration tests those of a fake.",
  "socket-access": "It tests the permissions of the socket file, which the file system enforces.",
  diagnosis: "It removes the network configuration of a real runtime; test/integration gives a fake the same faults.",
  cli: "A fake has no terminals: its commands are processes with pipes. test/integration/cli tests the command on a fake.",
};

export const knownDifferences: readonly KnownDifference[] = [
  {
    file: "borrowed",
    tests: [
      "a container gets the settings of its pod, and needs podConfig if the runtime does not report them",
      "reads the settings of a pod from its annotation if another process created it with this package",
    ],
    outcome: /foreign-host|1000/,
    why: "A process has the host name, the user and the name servers of the machine.",
  },
  {
    file: "files",
    tests: [/./],
    outcome: "notRun",
    why: "A fake has no mounts and devices: the paths would be those of the machine.",
  },
  {
    file: "manifests",
    tests: [/./],
    outcome: "notRun",
    why: "A fake has no mounts: the volumes would be paths of the machine. test/integration/kubernetes runs pods on a fake.",
  },
  {
    file: "interactive",
    tests: [/./],
    outcome: "notRun",
    why: "A fake has no pseudo-terminal, and these journeys would wait for the output of one.",
  },
  {
    file: "pod-settings",
    tests: ["a pod has its own network, which the node can reach"],
    outcome: "notRun",
    why: "A pod of a fake has an address but no network: its ports are those of the machine.",
  },
  {
    file: "pod-settings",
    tests: ["containers of a pod share its network"],
    outcome: /not to be 'net:/,
    why: "Containers of all pods share the network of the machine.",
  },
  {
    file: "pod-settings",
    tests: ["the host name is that of the spec, or by default the name of the pod"],
    outcome: /given-name/,
    why: "A container has the host name of the machine; only the variable HOSTNAME has that of the pod.",
  },
  {
    file: "pod-settings",
    tests: ["resolv.conf contains the DNS settings of the spec"],
    outcome: /ArrayContaining/,
    why: "A container sees the files of the machine, including /etc/resolv.conf.",
  },
  {
    file: "pod-settings",
    tests: ["sets the kernel parameters of the spec"],
    outcome: /'81\\n1'/,
    why: "A fake has no namespaces in which to set kernel parameters.",
  },
  {
    file: "pod-settings",
    tests: ["containers have their own PID namespace, or share that of the pod, of a container or of the node"],
    outcome: /expected true to be false/,
    why: "Containers see all processes of the machine, including those of other containers.",
  },
  {
    file: "process",
    tests: ["the image's entry point, command, user, directory and variables are the defaults"],
    outcome: "notRun",
    why: "An image of a fake has no programs, users and folders, and process 1 is that of the machine.",
  },
  {
    file: "process",
    tests: ["creates a missing working directory"],
    outcome: /new folder/,
    why: "A fake does not create a missing working directory. It uses the folder for temporary files instead.",
  },
  {
    file: "process",
    tests: ["tty gives the process a terminal"],
    outcome: /dev.*pts|pipe:/,
    why: "A fake has no pseudo-terminal.",
  },
  {
    file: "process",
    tests: ["patch() changes the messages after all other fields of the spec"],
    outcome: /to be 'after\\n\/tmp\\nafter'/,
    why: "A container has the host name of the machine; all other patched fields take effect.",
  },
  {
    file: "process",
    tests: [/^users and groups/],
    outcome: "notRun",
    why: "Commands run as the user of the tests, and one of them tries to write to the root folder.",
  },
  {
    file: "propagation",
    tests: ["propagates mounts as requested: not at all, from the node to the container, or in both directions"],
    outcome: "notRun",
    why: "A fake has no mounts: the commands would mount on the machine.",
  },
  {
    file: "propagation",
    tests: ["the error for a directory whose mounts cannot propagate names the reason"],
    flavors: ["cri-o", "cri-dockerd"],
    outcome: /promise resolved/,
    why: "It is not known which mounts CRI-O and Docker refuse, so their flavours accept all of them.",
  },
  {
    file: "propagation",
    tests: ["mounts the files of an image read-only; older runtimes refuse the mount"],
    flavors: ["containerd-2", "cri-o", "cri-dockerd"],
    outcome: "notRun",
    why: "An image of a fake has no files.",
  },
  {
    file: "resources",
    tests: [
      "sets the limits and requests of a container in its control group",
      "an update changes only the given fields of a running or created container",
    ],
    outcome: /memoryBytes/,
    why: "A fake has no control groups: it stores and reports limits, but does not enforce them.",
  },
  {
    file: "resources",
    tests: ["sets oomScoreAdj"],
    outcome: /to be '500'/,
    why: "A fake does not pass the OOM score to the kernel.",
  },
  {
    file: "resources",
    tests: ["wait() reports OOMKilled for a process that exceeds its memory limit"],
    outcome: "notRun",
    why: "A fake does not limit memory: the command would use that of the machine.",
  },
  {
    file: "restart",
    tests: ["a borrowed handle restarts with the configuration that the runtime reports"],
    outcome: /to be '1234\\n/,
    why: "Commands run as the user of the tests; the fake reports the rest of the configuration as given.",
  },
  {
    file: "security",
    tests: [
      /^capabilities: /,
      /^seccomp: /,
      "allowPrivilegeEscalation: false sets no_new_privs",
      /^kernel paths: /,
      /^privileged: /,
    ],
    outcome: "notRun",
    why: "A fake does not confine processes: the commands would mount on the machine and change its kernel settings.",
  },
  {
    file: "sessions",
    tests: [/: sets and changes the size of a terminal$/],
    outcome: "notRun",
    why: "A fake has no pseudo-terminal, and these journeys would wait for the output of one.",
  },
  {
    file: "tls",
    tests: ["the error for an untrusted client certificate says that the server rejects it"],
    flavors: ["containerd-1.7", "containerd-2"],
    outcome: /to match \/does not trust the authority/,
    why: "A Node.js server rejects the client without a TLS alert that names the reason.",
  },
];
