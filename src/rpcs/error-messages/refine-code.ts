import { Status } from "nice-grpc-common";
import type { CriErrorCode, GrpcErrorCode } from "../../errors.js";
import { isStartingUp } from "../../transport/never-sent.js";

/*
 * Runtimes answer many failures with a general code, mostly UNKNOWN, and describe them only in the error message. This folder has
 * every error message that this package relies on, with the runtime that sends it. test/unit/rpcs/error-messages.test.ts has the
 * received error messages.
 */

/** The code for an error message of some methods. */
interface Rule {
  readonly code: CriErrorCode;
  readonly methods: RegExp;
  readonly message: RegExp;
  /** The codes that runtimes send with the message. @defaultValue only UNKNOWN */
  readonly from?: readonly GrpcErrorCode[];
}

const anyMethod = /^/;

/** The program of a command or of the container itself does not exist. */
const missingProgram = new RegExp(
  [
    // runc: exec: "nope": executable file not found in $PATH (behind CRI-O the quotes are escaped)
    // runc: exec: "/nope": stat /nope: no such file or directory
    // Only after these words: containerd reports a missing runc with the same message.
    "(?:^|(?:failed to start exec|exec failed|start container process|container process caused)[^]{0,300}?)" +
      String.raw`exec: \\?"[^"]*": (?:executable file not found|stat [^:]+: no such file)`,
    // crun: executable file `nope` not found in $PATH: No such file or directory
    "executable file [`'\"].{0,300}?[`'\"] not found",
  ].join("|"),
  "i",
);

const rules: readonly Rule[] = [
  // All: write /…: no space left on device
  { code: "RESOURCE_EXHAUSTED", methods: anyMethod, message: /no space left on device|disk quota exceeded/i },
  { code: "COMMAND_NOT_FOUND", methods: /\/(Exec|ExecSync|CreateContainer|StartContainer)$/, message: missingProgram },
  {
    code: "FAILED_PRECONDITION",
    methods: /\/(Exec|ExecSync|Attach|PortForward|StartContainer|ReopenContainerLog|UpdateContainerResources)$/,
    // CRI-O, ExecSync: NOT_FOUND if the container has exited
    from: ["UNKNOWN", "NOT_FOUND"],
    message: new RegExp(
      [
        // containerd, for an exec or a start: container is in CONTAINER_EXITED state
        String.raw`container is in CONTAINER_\w+ state`,
        // containerd: sandbox container "<id>" is not running. containerd, CRI-O: container is not running
        // CRI-O: container is not created or running
        "(?:container|sandbox)[^:]* is not (?:created or )?(?:running|ready)",
        // CRI-O: container <id> is not in created state: stopped
        String.raw`container \S+ is not in created state`,
        // Docker: container not running (<id>)
        String.raw`container not running \(`,
        // Docker, StartContainer in a pod that was stopped: cannot join network of a non running container: <id>
        "cannot join network of a non running container",
      ].join("|"),
      "i",
    ),
  },
  {
    code: "FAILED_PRECONDITION",
    methods: /\/CreateContainer$/,
    from: ["UNKNOWN", "NOT_FOUND"],
    // containerd 1.6, 1.7: failed to get sandbox container task: no running task found: task <id> not found
    // CRI-O: CreateContainer failed as the sandbox was stopped: <id>
    message: /^failed to get sandbox container task: no running task found|failed as the sandbox was stopped/,
  },
  {
    code: "NOT_FOUND",
    // Lists and RunPodSandbox refer to no object that could be missing.
    methods: /^RuntimeService\/(?!List|RunPodSandbox)/,
    // Docker: Error response from daemon: No such container: <id>; container with id <id> not found
    // CRI-O: container with ID starting with <id> not found: ID does not exist; PodSandbox with ID starting with …
    message:
      /\bno such (?:container|pod|sandbox): \S|\b(?:container|podsandbox) with id (?:starting with )?\S+ not found/i,
  },
  {
    code: "NOT_FOUND",
    // Only for the object of the call. Other things may be "not found" as well: a network, an executable.
    methods: /Status$|Stats$|\/Stop|\/Remove/,
    message: /\b(?:container|sandbox|pod)(?: with id)?:? "?[0-9a-f]+"?:? (?:not found|does not exist)/i,
  },
  {
    code: "NOT_FOUND",
    methods: /\/CreateContainer$/,
    // Docker: Error response from daemon: No such image: nope:1
    // CRI-O: reference "[overlay@/var/lib/containers/storage+/run/containers/storage]nope:1" does not resolve to an image ID
    message: /^Error response from daemon: No such image: |does not resolve to an image ID$/,
  },
  {
    code: "NOT_FOUND",
    methods: /\/PullImage$/,
    // Docker: Error response from daemon: manifest for nope:1 not found: manifest unknown: manifest unknown
    // CRI-O: unable to pull image or OCI artifact: pull image err: …: reading manifest 1 in localhost/nope: manifest unknown; …
    message: /: (?:manifest|name) unknown\b/,
  },
  // Docker: docker does not support reopening container log files
  { code: "UNIMPLEMENTED", methods: /\/ReopenContainerLog$/, message: /^docker does not support reopening/ },
];

/** Returns the code that an error message stands for, if the runtime answers with a less specific code such as UNKNOWN. */
export function refineCode(code: GrpcErrorCode, method: string, details: string): CriErrorCode {
  if (code === "UNKNOWN" && isStartingUp(Status.UNKNOWN, details)) return "UNAVAILABLE";
  const searched = ends(details);
  const rule = rules.find(
    ({ methods, message, from = ["UNKNOWN"] }) => from.includes(code) && methods.test(method) && message.test(searched),
  );
  return rule?.code ?? code;
}

/** Shortens a long error message to its beginning and end: the time for the rules grows with the square of its length. */
function ends(details: string): string {
  return details.length <= 4_096 ? details : `${details.slice(0, 3_072)}\n${details.slice(-1_024)}`;
}
