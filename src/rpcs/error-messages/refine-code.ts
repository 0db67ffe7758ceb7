import { Status } from "nice-grpc-common";
import type { CriErrorCode, GrpcErrorCode } from "../../errors.js";
import { isStartingUp } from "../../transport/never-sent.js";

/*
 * Runtimes put into prose what gRPC has codes for. Every error message this package relies on is recognised in this folder, with
 * the runtime that sends it. test/unit/rpcs/error-messages.test.ts has samples of each, as they were received.
 */

/** What an error message means when it answers one of the methods. */
interface Rule {
  readonly code: CriErrorCode;
  readonly methods: RegExp;
  readonly text: RegExp;
  /** The codes with which runtimes send it. @defaultValue UNKNOWN only */
  readonly from?: readonly GrpcErrorCode[];
}

const anyMethod = /^/;

/** A program that the container does not have, of a command or of the container itself. */
const missingProgram = new RegExp(
  [
    // runc: exec: "nope": executable file not found in $PATH (behind CRI-O the quotes are escaped)
    // runc: exec: "/nope": stat /nope: no such file or directory
    // Behind these words only: containerd says the same of a missing runc.
    String.raw`(?:^|(?:failed to start exec|exec failed|start container process|container process caused)[^]{0,300}?)exec: \\?"[^"]*": (?:executable file not found|stat [^:]+: no such file)`,
    // crun: executable file `nope` not found in $PATH: No such file or directory
    "executable file [`'\"].{0,300}?[`'\"] not found",
  ].join("|"),
  "i",
);

const rules: readonly Rule[] = [
  // All: write /…: no space left on device
  { code: "RESOURCE_EXHAUSTED", methods: anyMethod, text: /no space left on device|disk quota exceeded/i },
  { code: "COMMAND_NOT_FOUND", methods: /\/(Exec|ExecSync|CreateContainer|StartContainer)$/, text: missingProgram },
  {
    code: "FAILED_PRECONDITION",
    methods: /\/(Exec|ExecSync|Attach|PortForward|StartContainer|ReopenContainerLog|UpdateContainerResources)$/,
    // CRI-O, ExecSync: NOT_FOUND of a container that exited
    from: ["UNKNOWN", "NOT_FOUND"],
    text: new RegExp(
      [
        // containerd, of an exec or a start: container is in CONTAINER_EXITED state
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
    text: /^failed to get sandbox container task: no running task found|failed as the sandbox was stopped/,
  },
  {
    code: "NOT_FOUND",
    // Lists and RunPodSandbox name no object that could be missing.
    methods: /^RuntimeService\/(?!List|RunPodSandbox)/,
    // Docker: Error response from daemon: No such container: <id>; container with id <id> not found
    // CRI-O: container with ID starting with <id> not found: ID does not exist; PodSandbox with ID starting with …
    text: /\bno such (?:container|pod|sandbox): \S|\b(?:container|podsandbox) with id (?:starting with )?\S+ not found/i,
  },
  {
    code: "NOT_FOUND",
    // Of the object that the call names. Much else may be "not found" on the way: a network, an executable.
    methods: /Status$|Stats$|\/Stop|\/Remove/,
    text: /\b(?:container|sandbox|pod)(?: with id)?:? "?[0-9a-f]+"?:? (?:not found|does not exist)/i,
  },
  {
    code: "NOT_FOUND",
    methods: /\/CreateContainer$/,
    // Docker: Error response from daemon: No such image: nope:1
    // CRI-O: reference "[overlay@/var/lib/containers/storage+/run/containers/storage]nope:1" does not resolve to an image ID
    text: /^Error response from daemon: No such image: |does not resolve to an image ID$/,
  },
  {
    code: "NOT_FOUND",
    methods: /\/PullImage$/,
    // Docker: Error response from daemon: manifest for nope:1 not found: manifest unknown: manifest unknown
    // CRI-O: unable to pull image or OCI artifact: pull image err: …: reading manifest 1 in localhost/nope: manifest unknown; artifact err: …
    text: /: (?:manifest|name) unknown\b/,
  },
  // Docker: docker does not support reopening container log files
  { code: "UNIMPLEMENTED", methods: /\/ReopenContainerLog$/, text: /^docker does not support reopening/ },
];

/** The code that an error message stands for, where the runtime answers UNKNOWN, or another code, for what has a code of its own. */
export function refineCode(code: GrpcErrorCode, method: string, details: string): CriErrorCode {
  if (code === "UNKNOWN" && isStartingUp(Status.UNKNOWN, details)) return "UNAVAILABLE";
  const searched = ends(details);
  const rule = rules.find(
    ({ methods, text, from = ["UNKNOWN"] }) => from.includes(code) && methods.test(method) && text.test(searched),
  );
  return rule?.code ?? code;
}

/** The beginning and the end of an error message: the time that the rules take grows with the square of its length. */
function ends(details: string): string {
  return details.length <= 4_096 ? details : `${details.slice(0, 3_072)}\n${details.slice(-1_024)}`;
}
