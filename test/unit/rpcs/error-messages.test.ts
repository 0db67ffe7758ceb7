import { Status } from "nice-grpc-common";
import { describe, expect, test } from "vitest";
import type { GrpcErrorCode } from "../../../src/errors.js";
import { isBusy } from "../../../src/rpcs/error-messages/busy.js";
import { commandAtLimit, isTimeoutReply } from "../../../src/rpcs/error-messages/command-end.js";
import { explain, hint } from "../../../src/rpcs/error-messages/hint.js";
import { pullFailure } from "../../../src/rpcs/error-messages/pull-failure.js";
import { refineCode } from "../../../src/rpcs/error-messages/refine-code.js";
import { nameHolder } from "../../../src/rpcs/error-messages/reserved-name.js";

describe("nameHolder", () => {
  test.each([
    ['failed to reserve sandbox name "a_b_c_0": name "a_b_c_0" is reserved for "4c1f9e"', "4c1f9e"],
    ['failed to reserve container name "a": name "a" is reserved for "77aa"', "77aa"],
    [
      'Conflict. The container name "/k8s_POD_a_b_c_0" is already in use by container "9f8e". You have to remove',
      "9f8e",
    ],
    ["error reserving ctr name k8s_a for id 123: name is reserved", undefined],
  ])("finds the holder in %j", (details, id) => {
    expect(nameHolder(details)).toEqual({ id });
  });

  test("finds none in other error messages", () => {
    expect(nameHolder('failed to create containerd task: "a" exists')).toBeUndefined();
  });
});

describe("isBusy", () => {
  test.each([
    'failed to set removing state for container "4f1e": container is in starting state, can\'t be removed',
    'failed to set removing state for container "4f1e": container is still running, to stop first',
    'failed to set removing state for container "4f1e": container is already in removing state',
    'failed to remove container "4f1e": Error response from daemon: removal of container 4f1e is already in progress',
    "failed to delete container k8s_c_p_ns_u_0 in pod sandbox 7a2b from index: no such id: '4f1e'",
    'failed to kill container "4f1e": ttrpc: closed',
  ])("the runtime is busy with the container: %s", (details) => {
    expect(isBusy(details)).toBe(true);
  });

  test("the runtime is not busy if a container can never be removed", () => {
    expect(isBusy('failed to remove container "4f1e": device or resource busy')).toBe(false);
  });
});

/** Received error messages, with ids shortened to `4f1e`: runtime · version · method · gRPC code · message → code. */
const samples: readonly (readonly [string, string, string, GrpcErrorCode, string, string])[] = [
  // The container does not have the program.
  [
    "containerd",
    "1.6, 1.7",
    "ExecSync",
    "UNKNOWN",
    'failed to exec in container: failed to start exec "4f1e": OCI runtime exec failed: exec failed: unable to start container process: exec: "nope": executable file not found in $PATH: unknown',
    "COMMAND_NOT_FOUND",
  ],
  [
    "containerd",
    "2.1",
    "ExecSync",
    "UNKNOWN",
    'failed to exec in container: failed to start exec "4f1e": OCI runtime exec failed: exec failed: unable to start container process: exec: "/nope": stat /nope: no such file or directory',
    "COMMAND_NOT_FOUND",
  ],
  [
    "containerd",
    "2.1",
    "Exec",
    "UNKNOWN",
    'Internal error occurred: error executing command in container: failed to exec in container: failed to start exec "4f1e": OCI runtime exec failed: exec failed: unable to start container process: exec: "nope": executable file not found in $PATH',
    "COMMAND_NOT_FOUND",
  ],
  [
    "containerd",
    "1.6, 1.7",
    "StartContainer",
    "UNKNOWN",
    'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "nope": executable file not found in $PATH: unknown',
    "COMMAND_NOT_FOUND",
  ],
  [
    "containerd",
    "2.1",
    "StartContainer",
    "UNKNOWN",
    'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "/nope": stat /nope: no such file or directory',
    "COMMAND_NOT_FOUND",
  ],
  [
    "containerd, runc 1.0",
    "1.6",
    "StartContainer",
    "UNKNOWN",
    'failed to create containerd task: failed to create shim task: OCI runtime create failed: container_linux.go:380: starting container process caused: exec: "nope": executable file not found in $PATH: unknown',
    "COMMAND_NOT_FOUND",
  ],
  [
    "CRI-O",
    "1.37",
    "ExecSync",
    "UNKNOWN",
    String.raw`command error: time="2026-11-28T17:16:19Z" level=error msg="exec failed: unable to start container process: exec: \"nope\": executable file not found in $PATH"`,
    "COMMAND_NOT_FOUND",
  ],
  [
    "CRI-O",
    "1.37",
    "CreateContainer",
    "UNKNOWN",
    String.raw`container create failed: time="2026-11-28T17:16:27Z" level=error msg="runc create failed: unable to start container process: exec: \"/nope\": stat /nope: no such file or directory"`,
    "COMMAND_NOT_FOUND",
  ],
  [
    "CRI-O, crun",
    "",
    "ExecSync",
    "UNKNOWN",
    "executable file `nope` not found in $PATH: No such file or directory",
    "COMMAND_NOT_FOUND",
  ],
  [
    "Docker",
    "26.1",
    "StartContainer",
    "UNKNOWN",
    'failed to start container "4f1e": Error response from daemon: failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "nope": executable file not found in $PATH: unknown',
    "COMMAND_NOT_FOUND",
  ],
  // Similar messages with another reason.
  [
    "containerd",
    "2.1",
    "ExecSync",
    "UNKNOWN",
    'failed to exec in container: failed to start exec "4f1e": OCI runtime exec failed: exec failed: unable to start container process: exec: "/etc": permission denied',
    "UNKNOWN",
  ],
  [
    "containerd",
    "2.1",
    "StartContainer",
    "UNKNOWN",
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: mkdir /etc/passwd: not a directory",
    "UNKNOWN",
  ],
  [
    "containerd without runc",
    "2.1",
    "StartContainer",
    "UNKNOWN",
    'failed to create containerd task: failed to create shim task: OCI runtime create failed: unable to retrieve OCI runtime error (open /run/4f1e/log.json: no such file or directory): exec: "runc": executable file not found in $PATH',
    "UNKNOWN",
  ],
  [
    "containerd",
    "2.1",
    "CheckpointContainer",
    "UNKNOWN",
    'CRIU binary not found or too old (<31600). Failed to checkpoint container "4f1e": failed to check for criu version: exec: "criu": executable file not found in $PATH',
    "UNKNOWN",
  ],
  ["any", "", "ExecSync", "UNKNOWN", "chdir to cwd (/x) failed: no such file or directory", "UNKNOWN"],

  // The state of the container or the pod does not allow the call.
  [
    "containerd",
    "all",
    "ExecSync",
    "UNKNOWN",
    "failed to exec in container: container is in CONTAINER_EXITED state",
    "FAILED_PRECONDITION",
  ],
  ["containerd", "all", "Exec", "UNKNOWN", "container is in CONTAINER_CREATED state", "FAILED_PRECONDITION"],
  ["containerd", "all", "Attach", "UNKNOWN", "container is in CONTAINER_EXITED state", "FAILED_PRECONDITION"],
  ["containerd", "all", "ReopenContainerLog", "UNKNOWN", "container is not running", "FAILED_PRECONDITION"],
  [
    "containerd",
    "all",
    "StartContainer",
    "UNKNOWN",
    'failed to set starting state for container "4f1e": container is in CONTAINER_EXITED state',
    "FAILED_PRECONDITION",
  ],
  ["containerd", "all", "StartContainer", "UNKNOWN", 'sandbox container "4f1e" is not running', "FAILED_PRECONDITION"],
  [
    "containerd",
    "1.6, 1.7",
    "CreateContainer",
    "NOT_FOUND",
    "failed to get sandbox container task: no running task found: task 4f1e not found: not found",
    "FAILED_PRECONDITION",
  ],
  ["containerd", "all", "PortForward", "UNKNOWN", "sandbox container is not running", "FAILED_PRECONDITION"],
  [
    "CRI-O",
    "1.37",
    "ExecSync",
    "NOT_FOUND",
    "container is not created or running: checking if PID of 4f1e is running failed: container process not found",
    "FAILED_PRECONDITION",
  ],
  [
    "CRI-O",
    "1.37",
    "Exec",
    "UNKNOWN",
    "Internal error occurred: error executing command in container: rpc error: code = NotFound desc = container is not created or running: checking if PID of 4f1e is running failed: container process not found",
    "FAILED_PRECONDITION",
  ],
  [
    "CRI-O",
    "1.37",
    "Attach",
    "UNKNOWN",
    "Internal error occurred: error attaching to container: container is not created or running",
    "FAILED_PRECONDITION",
  ],
  ["CRI-O", "1.37", "ReopenContainerLog", "UNKNOWN", "container is not running", "FAILED_PRECONDITION"],
  [
    "CRI-O",
    "1.37",
    "UpdateContainerResources",
    "UNKNOWN",
    "container 4f1e is not running or created state: stopped",
    "FAILED_PRECONDITION",
  ],
  [
    "CRI-O",
    "1.37",
    "StartContainer",
    "UNKNOWN",
    "container 4f1e is not in created state: stopped",
    "FAILED_PRECONDITION",
  ],
  [
    "CRI-O",
    "1.37",
    "CreateContainer",
    "UNKNOWN",
    "CreateContainer failed as the sandbox was stopped: 4f1e",
    "FAILED_PRECONDITION",
  ],
  ["Docker", "26.1", "ExecSync", "UNKNOWN", "container not running (4f1e)", "FAILED_PRECONDITION"],
  ["Docker", "26.1", "Attach", "UNKNOWN", "container not running (4f1e)", "FAILED_PRECONDITION"],
  [
    "Docker",
    "26.1",
    "StartContainer",
    "UNKNOWN",
    'failed to start container "4f1e": Error response from daemon: cannot join network of a non running container: 034d',
    "FAILED_PRECONDITION",
  ],
  ["Docker", "26.1", "PortForward", "UNKNOWN", "container not running (4f1e)", "FAILED_PRECONDITION"],
  // The container is still starting.
  [
    "containerd",
    "all",
    "StartContainer",
    "UNKNOWN",
    'failed to set starting state for container "4f1e": container is already in starting state',
    "UNKNOWN",
  ],

  // The container or the pod does not exist.
  [
    "CRI-O",
    "1.37",
    "ContainerStats",
    "UNKNOWN",
    "container with ID starting with 4f1e not found: ID does not exist",
    "NOT_FOUND",
  ],
  [
    "CRI-O",
    "1.37",
    "Exec",
    "UNKNOWN",
    'could not find container "4f1e": container with ID starting with 4f1e not found: ID does not exist',
    "NOT_FOUND",
  ],
  [
    "CRI-O",
    "1.37",
    "Attach",
    "UNKNOWN",
    'could not find container "4f1e": container with ID starting with 4f1e not found: ID does not exist',
    "NOT_FOUND",
  ],
  [
    "CRI-O",
    "1.37",
    "ReopenContainerLog",
    "UNKNOWN",
    "could not find container 4f1e: container with ID starting with 4f1e not found: ID does not exist",
    "NOT_FOUND",
  ],
  [
    "CRI-O",
    "1.37",
    "UpdateContainerResources",
    "UNKNOWN",
    "container with ID starting with 4f1e not found: ID does not exist",
    "NOT_FOUND",
  ],
  [
    "CRI-O",
    "1.37",
    "PodSandboxStats",
    "UNKNOWN",
    "PodSandbox with ID starting with 4f1e not found: ID does not exist",
    "NOT_FOUND",
  ],
  [
    "CRI-O",
    "1.37",
    "CreateContainer",
    "UNKNOWN",
    "specified sandbox not found: 4f1e: PodSandbox with ID starting with 4f1e not found: ID does not exist",
    "NOT_FOUND",
  ],
  ["Docker", "26.1", "ContainerStatus", "UNKNOWN", "Error response from daemon: No such container: nope", "NOT_FOUND"],
  [
    "Docker",
    "26.1",
    "StartContainer",
    "UNKNOWN",
    'failed to get container "nope" log path: failed to inspect container "nope": Error response from daemon: No such container: nope',
    "NOT_FOUND",
  ],
  [
    "Docker",
    "26.1",
    "UpdateContainerResources",
    "UNKNOWN",
    'failed to update container "nope": Error response from daemon: No such container: nope',
    "NOT_FOUND",
  ],
  ["Docker", "26.1", "ExecSync", "UNKNOWN", "Error response from daemon: No such container: nope", "NOT_FOUND"],
  ["Docker", "26.1", "PortForward", "UNKNOWN", "Error response from daemon: No such container: nope", "NOT_FOUND"],
  ["Docker", "26.1", "ContainerStats", "UNKNOWN", "container with id nope not found", "NOT_FOUND"],
  [
    "Docker",
    "26.1",
    "CreateContainer",
    "UNKNOWN",
    "unable to get container's sandbox ID: Error response from daemon: No such container: nope",
    "NOT_FOUND",
  ],
  ["Docker", "26.1", "CreateContainer", "UNKNOWN", "Error response from daemon: No such image: nope:1", "NOT_FOUND"],
  [
    "CRI-O",
    "1.37",
    "CreateContainer",
    "UNKNOWN",
    'reference "[overlay@/var/lib/containers/storage+/run/containers/storage]nope:1" does not resolve to an image ID',
    "NOT_FOUND",
  ],
  ["any", "", "PodSandboxStatus", "UNKNOWN", 'pod sandbox "abc123" does not exist', "NOT_FOUND"],
  // Something else does not exist.
  [
    "containerd",
    "all",
    "StopPodSandbox",
    "UNKNOWN",
    'failed to destroy network for sandbox "4f1e": plugin type="calico" failed (delete): ippool "default" not found',
    "UNKNOWN",
  ],
  ["containerd", "all", "StopContainer", "UNKNOWN", "failed to kill: permission denied", "UNKNOWN"],

  [
    "Docker",
    "26.1",
    "ReopenContainerLog",
    "UNKNOWN",
    "docker does not support reopening container log files",
    "UNIMPLEMENTED",
  ],
  ["containerd", "1.6", "Status", "UNKNOWN", "server is not initialized yet", "UNAVAILABLE"],
  [
    "containerd",
    "all",
    "RunPodSandbox",
    "UNKNOWN",
    "failed to create containerd container: write /var/lib/containerd/meta.db: no space left on device",
    "RESOURCE_EXHAUSTED",
  ],
  [
    "CRI-O",
    "1.37",
    "PullImage",
    "UNKNOWN",
    "unable to pull image or OCI artifact: pull image err: initializing source docker://registry.example/no/such:1: reading manifest 1 in registry.example/no/such: manifest unknown; artifact err: image reference: get manifest from ref: create image source: reading manifest 1 in registry.example/no/such: manifest unknown",
    "NOT_FOUND",
  ],
  [
    "Docker",
    "26.1",
    "PullImage",
    "UNKNOWN",
    "Error response from daemon: manifest for registry.example/no/such:1 not found: manifest unknown: manifest unknown",
    "NOT_FOUND",
  ],
  ["CRI-O", "", "PullImage", "UNKNOWN", "write /var/lib/x: disk quota exceeded", "RESOURCE_EXHAUSTED"],
  ["any", "", "ContainerStatus", "INTERNAL", "no such container", "INTERNAL"],
];

describe("refineCode", () => {
  test.each(samples)("%s %s, %s, %s: %s → %s", (_runtime, _version, rpc, code, message, expected) => {
    expect(refineCode(code, `RuntimeService/${rpc}`, message)).toBe(expected);
  });
});

// Node.js accepts headers of at most 64 KiB. Searching a whole message of this length would take a second.
describe("an error message of 64 KiB", () => {
  const long = (text: string) => text.repeat(Math.ceil(65_536 / text.length));

  test.each(["container", "sandbox", "container with id ", "start container process", 'exec: "', "name "])(
    "is searched in bounded time: %s…",
    (text) => {
      const startedAt = performance.now();
      for (let round = 0; round < 20; round++) {
        expect(refineCode("UNKNOWN", "RuntimeService/Exec", long(text))).toBe("UNKNOWN");
        expect(nameHolder(long(text))).toBeUndefined();
      }
      expect(performance.now() - startedAt).toBeLessThan(5_000);
    },
  );

  test("is searched only at its beginning and its end", () => {
    const code = (details: string) => refineCode("UNKNOWN", "RuntimeService/CreateContainer", details);
    expect(code(`Error response from daemon: No such image: ${long("a")}`)).toBe("NOT_FOUND");
    expect(code(`reference "${long("a")}" does not resolve to an image ID`)).toBe("NOT_FOUND");
  });
});

describe("the time limit of an ExecSync command", () => {
  test.each([
    [
      "containerd 1.6, 1.7, 2.1",
      "failed to exec in container: timeout 1s exceeded: context deadline exceeded",
      "killed",
    ],
    ["Docker 26.1", "context deadline exceeded", "runsOn"],
    ["a call's own limit", "no answer within 1000 ms", undefined],
  ])("%s: %s", (_, message, expected) => {
    expect(commandAtLimit(message)).toBe(expected);
  });

  test("CRI-O 1.37 answers OK with exit code -1", () => {
    expect(isTimeoutReply({ exitCode: -1, stderr: Buffer.from("command timed out") })).toBe(true);
    expect(isTimeoutReply({ exitCode: 1, stderr: Buffer.from("command timed out") })).toBe(false);
  });
});

describe("pullFailure", () => {
  test.each([
    ["UNKNOWN", "RegistryUnavailable: try later", "RegistryUnavailable"],
    ["UNKNOWN", "SignatureValidationFailed: no policy", "SignatureValidationFailed"],
    ["NOT_FOUND", 'failed to resolve reference "r/x:1": r/x:1: not found', "NotFound"],
    [
      "UNKNOWN",
      "pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed",
      "Unauthorized",
    ],
    ["UNKNOWN", "unexpected status from HEAD request to https://r/v2/x/manifests/1: 401 Unauthorized", "Unauthorized"],
    ["UNKNOWN", "dial tcp 127.0.0.1:1: connect: connection refused", "RegistryUnavailable"],
    ["UNKNOWN", "unexpected status: 503 Service Unavailable", "RegistryUnavailable"],
    ["INVALID_ARGUMENT", 'failed to parse image reference "x y": invalid reference format', "InvalidReference"],
    ["UNKNOWN", "no space left on device", "Other"],
    ["UNKNOWN", 'failed to do request: Head "http://registry:403/v2/x/manifests/1": EOF', "RegistryUnavailable"],
    ["UNKNOWN", "short read: expected 403 bytes but got 401: unexpected EOF", "RegistryUnavailable"],
    ["UNKNOWN", "unexpected status code http://r/v2/x/blobs/sha256:1: 429 Too Many Requests", "RegistryUnavailable"],
    ["UNKNOWN", "received unexpected HTTP status: 500 Internal Server Error", "RegistryUnavailable"],
    ["UNKNOWN", "reading blob sha256:1: fetching blob: StatusCode: 403, <html>", "Unauthorized"],
    ["UNKNOWN", "error parsing HTTP 403 response body: invalid character '<'", "Unauthorized"],
    [
      "FAILED_PRECONDITION",
      'failed commit on ref "layer-sha256:1" of r/500/x:503: failed size validation: 500 != 200',
      "Other",
    ],
    ["FAILED_PRECONDITION", "unexpected commit digest sha256:1, expected sha256:2: failed precondition", "Other"],
  ] as const)("%s %s", (code, details, reason) => {
    expect(pullFailure(code, details)).toBe(reason);
  });
});

describe("hint", () => {
  test.each([
    [Status.UNAVAILABLE, "No connection established. Last error: connect ENOENT /x", /no socket at this path/],
    [Status.UNAVAILABLE, "No connection established. Last error: connect ECONNREFUSED /x", /nothing listens/],
    [Status.UNAVAILABLE, "No connection established. Last error: connect EACCES /x", /run as root or as a member/],
    [Status.RESOURCE_EXHAUSTED, "Received message larger than max (5 vs 4)", /max_receive_message_length/],
    [
      Status.RESOURCE_EXHAUSTED,
      "Received message that decompresses to a size larger than 4",
      /max_receive_message_length/,
    ],
    [
      Status.RESOURCE_EXHAUSTED,
      "grpc: received message larger than max (5 vs. 4)",
      /the request .*max_recv_message_size/,
    ],
    [Status.RESOURCE_EXHAUSTED, "grpc: trying to send message larger than max (5 vs. 4)", /max_send_message_size/],
    [Status.UNIMPLEMENTED, "unknown service runtime.v1.RuntimeService", /disable_tcp_service/],
    [
      Status.UNKNOWN,
      "… namespace path: lstat /proc/0/ns/ipc: no such file or directory: unknown",
      /too busy.*remove it and create it again.*task\.state/,
    ],
  ])("%s %s", (code, details, expected) => {
    expect(hint(code, details)).toMatch(expected);
  });

  test.each([
    ["containerd 2.1", "… failed to get cgroup metrics for sandbox 4f1e because cgroupPath is empty"],
    ["containerd 2.4-beta", 'sandbox "4f1e" has no cgroup parent'],
  ])("%s suggests a cgroupParent for the statistics of a pod", (_, details) => {
    expect(hint(Status.UNKNOWN, details)).toMatch(/run the pod with a cgroupParent/);
  });

  test("adds nothing to a clear error message", () => {
    expect(hint(Status.NOT_FOUND, 'container "x" not found')).toBeUndefined();
  });
});

describe("explain", () => {
  test.each([
    [
      "Error: connect ENOENT /x.sock",
      "cannot connect (ENOENT) — there is no socket at this path; is the runtime running?",
    ],
    [
      "connect ECONNREFUSED 127.0.0.1:1",
      "cannot connect (ECONNREFUSED) — nothing listens on this endpoint; is the runtime running?",
    ],
    ["Error: socket hang up", "cannot connect: socket hang up"],
  ])("omits the address and an empty note from a failed connect (%s)", (error, expected) => {
    const details = `No connection established. Last error: ${error}. Resolution note: `;
    expect(explain(Status.UNAVAILABLE, details)).toBe(expected);
  });

  test("keeps a note about the name resolution", () => {
    const details = "No connection established. Last error: none. Resolution note: no addresses";
    expect(explain(Status.UNAVAILABLE, details)).toBe("cannot connect: none; no addresses");
  });
});
