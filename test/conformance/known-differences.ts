/**
 * Where FakeRuntime, with processes of this machine for containers, is not what the runtime of its flavour is. Every journey of test/runtime that is
 * not named here must come out the same.
 *
 * @module
 */
import type { FakeFlavor } from "k8s-cri-client/testing";

/** Journeys that a fake does not take part in, or does not pass. */
export interface KnownDifference {
  /** The file in test/runtime, without `.test.ts`. */
  readonly file: string;
  /** The names of the tests, in full or as patterns; those inside a `describe` with its name: `outer > inner`. */
  readonly tests: readonly (string | RegExp)[];
  /** @defaultValue all of them */
  readonly flavors?: readonly FakeFlavor[];
  /**
   * - A pattern: it is run, and has to fail with these words. Once it passes, the run fails until its entry is gone.
   * - `notRun`: it takes a container around its commands, which would look at or change the machine that the tests run on.
   */
  readonly outcome: RegExp | "notRun";
  /** Why, in one sentence. */
  readonly why: string;
}

/** Files that are no journeys of a fake, by nature. */
export const otherFiles: Readonly<Record<string, string>> = {
  lab: "It is about the lab itself.",
  "lab-teardown": "It is about the lab itself.",
  examples: "The examples run against a fake in test/integration.",
  "hostile-registry": "A fake has no registry that could be hostile, only rules.",
  "disk-full": "A fake has no disk that could be full.",
  "crash-rounds": "It counts what real runtimes leave on a node when they are killed.",
  "many-pods": "It is about size on a real node.",
  "message-limits": "It is about the limits that real runtimes have; test/integration has those of a fake.",
  "socket-access": "It is about permissions of the socket, which belong to the file system.",
};

export const knownDifferences: readonly KnownDifference[] = [
  {
    file: "borrowed",
    tests: [
      "a container in it has the pod's settings, or is refused where the runtime does not report them",
      "a pod that another process created with this package has its settings in an annotation",
    ],
    outcome: /of-a-stranger|1000/,
    why: "The host name, the user and the name servers of a process are the machine's.",
  },
  {
    file: "files",
    tests: [/./],
    outcome: "notRun",
    why: "Mounts and devices are not imitated: the paths would be the machine's own.",
  },
  {
    file: "interactive",
    tests: [/./],
    outcome: "notRun",
    why: "There is no pseudo-terminal, and they would wait for what only a terminal says.",
  },
  {
    file: "pod-settings",
    tests: ["a network of its own that the node reaches"],
    outcome: "notRun",
    why: "A pod has an address but no network: its ports are the machine's.",
  },
  {
    file: "pod-settings",
    tests: ["containers of one pod share its network"],
    outcome: /not to be 'net:/,
    why: "Containers share the machine's network, whatever their pod.",
  },
  {
    file: "pod-settings",
    tests: ["host name: the spec's, else one made from the pod's name"],
    outcome: /given-name/,
    why: "The host name is the machine's; only the variable HOSTNAME is the pod's.",
  },
  {
    file: "pod-settings",
    tests: ["resolv.conf says what the spec's DNS says"],
    outcome: /ArrayContaining/,
    why: "Files are the machine's, /etc/resolv.conf among them.",
  },
  {
    file: "pod-settings",
    tests: ["kernel parameters of its namespaces"],
    outcome: /'81\\n1'/,
    why: "There are no namespaces to set kernel parameters for.",
  },
  {
    file: "pod-settings",
    tests: ["processes: apart by nature, shared in the pod, of one container, or the node's"],
    outcome: /expected true to be false/,
    why: "Containers see the processes of the machine, those of other containers among them.",
  },
  {
    file: "process",
    tests: ["an image's own entry point, command, user, directory and variables hold when nothing is said"],
    outcome: "notRun",
    why: "The programs, users and folders of an image are not there, and the process of number 1 is the machine's.",
  },
  {
    file: "process",
    tests: ["working directory"],
    outcome: /made for it/,
    why: "A working directory that the machine does not have is not made; the folder for temporary files stands in.",
  },
  {
    file: "process",
    tests: ["a terminal, or none"],
    outcome: /dev.*pts|pipe:/,
    why: "There is no pseudo-terminal.",
  },
  {
    file: "process",
    tests: ["patch has the last word on the messages"],
    outcome: /to be 'after\\n\/tmp\\nafter'/,
    why: "The host name is the machine's; the rest of what the journey asks for is as patched.",
  },
  {
    file: "process",
    tests: [/^users and groups/],
    outcome: "notRun",
    why: "Commands run as the user who runs the tests, and one of them tries to write to the root folder.",
  },
  {
    file: "propagation",
    tests: [/^private, from the node/],
    outcome: "notRun",
    why: "Mounts are not imitated: the commands would mount on the machine.",
  },
  {
    file: "propagation",
    tests: ["a directory that is not shared cannot propagate, and the error says so"],
    flavors: ["cri-o", "cri-dockerd"],
    outcome: /promise resolved/,
    why: "What CRI-O and Docker refuse for what is in a request was not measured, and their flavours accept it.",
  },
  {
    file: "propagation",
    tests: ["the files of another image"],
    flavors: ["containerd-2", "cri-o", "cri-dockerd"],
    outcome: "notRun",
    why: "Images have no files.",
  },
  {
    file: "resources",
    tests: [
      "limits and requests of a container arrive in its control group",
      "an update changes what it mentions and nothing else, of a running and of a created container",
    ],
    outcome: /memoryBytes/,
    why: "There are no control groups: limits are remembered and told, and limit nothing.",
  },
  {
    file: "resources",
    tests: ["how readily the kernel kills it"],
    outcome: /to be '500'/,
    why: "The kernel is not told of it.",
  },
  {
    file: "resources",
    tests: ["a process that needs more memory than it may have is killed, and wait tells why"],
    outcome: "notRun",
    why: "Nothing limits memory: the command would take the machine's.",
  },
  {
    file: "restart",
    tests: ["through a borrowed handle, with the configuration that the runtime tells"],
    outcome: /to be '1234\\n/,
    why: "Commands run as the user who runs the tests; the rest of the configuration is told as it was given.",
  },
  {
    file: "security",
    tests: [/^capabilities: /, /^system call filter: /, "no_new_privs", /^masked and read-only/, /^privileged: /],
    outcome: "notRun",
    why: "Nothing holds a process of the machine back: the commands would mount, and write to kernel settings.",
  },
  {
    file: "sessions",
    tests: [/: a terminal, with its size$/],
    outcome: "notRun",
    why: "There is no pseudo-terminal, and they would wait for what only a terminal says.",
  },
  {
    file: "tls",
    tests: ["a client certificate of an authority that the server does not know"],
    flavors: ["containerd-1.7", "containerd-2"],
    outcome: /to match \/does not trust the authority/,
    why: "A server of Node.js turns a client away without the alert that says why.",
  },
];
