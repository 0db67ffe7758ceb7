/**
 * Where FakeRuntime, with processes of this machine for containers, is not what containerd is. Every journey of test/runtime that is
 * not named here must come out the same.
 *
 * @module
 */
import type { FakeFlavor } from "k8s-cri-client/testing";

/** The flavours that journeys are run on. There is no CRI-O to compare its flavour with. */
export const conformingFlavors = ["containerd-1.6", "containerd-1.7", "containerd-2"] as const satisfies FakeFlavor[];

/** Journeys that a fake does not take part in, or does not pass. */
export interface KnownDifference {
  /** The file in test/runtime, without `.test.ts`. */
  readonly file: string;
  /** The names of the tests, in full or as patterns; those inside a `describe` with its name: `outer > inner`. */
  readonly tests: readonly (string | RegExp)[];
  /** @defaultValue all of them */
  readonly flavors?: readonly FakeFlavor[];
  /**
   * - `differs`: it is run, and has to fail with these words. Once it passes, the run fails until its entry is gone.
   * - `notRun`: its commands need a container around them, and would look at or change the machine that the tests run on.
   */
  readonly kind: "differs" | "notRun";
  /** What the failure says; of `differs` only. */
  readonly says?: RegExp;
  /** Why, in one sentence. */
  readonly why: string;
}

export const knownDifferences: readonly KnownDifference[] = [
  {
    file: "files",
    tests: [/./],
    kind: "notRun",
    why: "Mounts and devices are not imitated: the paths would be the machine's own.",
  },
  {
    file: "security",
    tests: [/^capabilities/, "system call filter", "no_new_privs", /^masked/, /^privileged: /],
    kind: "notRun",
    why: "Nothing holds a process of the machine back, so the commands would mount, and write to the kernel's settings.",
  },
  {
    file: "propagation",
    tests: [/^private/, /^the files/],
    kind: "notRun",
    why: "Mounts are not imitated: the commands would mount on the machine.",
  },
  {
    file: "resources",
    tests: [/^a process that needs more memory/],
    kind: "notRun",
    why: "Nothing limits memory, and the command takes what it can get.",
  },
  {
    file: "process",
    tests: [/^an image's own/, /^users and groups/],
    kind: "notRun",
    why: "Files and users are the machine's, and so is the process of number 1, of which is asked.",
  },
  {
    file: "pod-settings",
    tests: [/^a network of its own/],
    kind: "notRun",
    why: "Pods have no network of their own.",
  },
  {
    file: "interactive",
    tests: [/./],
    kind: "notRun",
    why: "There is no terminal: the commands would wait for what never comes.",
  },
];
