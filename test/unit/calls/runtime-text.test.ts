import { Status } from "nice-grpc-common";
import { describe, expect, test } from "vitest";
import { hint, nameHolder, pullFailure, refineCode } from "../../../src/calls/runtime-text.js";

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

  test("is not fooled by other failures", () => {
    expect(nameHolder('failed to create containerd task: "a" exists')).toBeUndefined();
  });
});

describe("refineCode", () => {
  test.each([
    ["RuntimeService/Status", "server is not initialized yet", "UNAVAILABLE"],
    ["ImageService/PullImage", "server is not initialized yet", "UNAVAILABLE"],
    ["RuntimeService/ContainerStatus", "Error: No such container: abc123", "NOT_FOUND"],
    ["RuntimeService/PodSandboxStatus", 'pod sandbox "abc123" does not exist', "NOT_FOUND"],
    ["RuntimeService/StartContainer", 'container "abc": exec: "x": executable file not found in $PATH', "UNKNOWN"],
    ["RuntimeService/ExecSync", 'exec: "x": executable file not found in $PATH', "COMMAND_NOT_FOUND"],
    ["RuntimeService/ExecSync", 'exec: "/x": stat /x: no such file or directory', "COMMAND_NOT_FOUND"],
    ["RuntimeService/ExecSync", "exec /x.sh: no such file or directory", "COMMAND_NOT_FOUND"],
    ["RuntimeService/Exec", "executable file `x` not found in $PATH: No such file or directory", "COMMAND_NOT_FOUND"],
    ["RuntimeService/ExecSync", "chdir to cwd (/x) failed: no such file or directory", "UNKNOWN"],
    ["RuntimeService/ExecSync", "failed to exec: container is in CONTAINER_EXITED state", "FAILED_PRECONDITION"],
    ["RuntimeService/Attach", "container is not created or running", "FAILED_PRECONDITION"],
    ["RuntimeService/PortForward", 'sandbox container "4f1e" is not running', "FAILED_PRECONDITION"],
    ["RuntimeService/StopContainer", "failed to kill: permission denied", "UNKNOWN"],
    [
      "RuntimeService/StopPodSandbox",
      'failed to destroy network for sandbox "4f1e": plugin type="calico" failed (delete): ippool "default" not found',
      "UNKNOWN",
    ],
    [
      "RuntimeService/RunPodSandbox",
      "failed to create containerd container: write /var/lib/containerd/meta.db: no space left on device",
      "RESOURCE_EXHAUSTED",
    ],
    ["ImageService/PullImage", "write /var/lib/x: disk quota exceeded", "RESOURCE_EXHAUSTED"],
  ])("%s: %s is %s", (method, details, expected) => {
    expect(refineCode("UNKNOWN", method, details)).toBe(expected);
  });

  test("leaves a code that says something alone", () => {
    expect(refineCode("INTERNAL", "RuntimeService/ContainerStatus", "no such container")).toBe("INTERNAL");
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
  ])("%s %s", (code, details, expected) => {
    expect(hint(code, details)).toMatch(expected);
  });

  test("has nothing to add to what is clear", () => {
    expect(hint(Status.NOT_FOUND, 'container "x" not found')).toBeUndefined();
  });
});
