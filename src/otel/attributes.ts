import type { Attributes } from "@opentelemetry/api";
import { endpointParts } from "../tracing/endpoint-parts.js";
import type { AnyOperation } from "../tracing/operations.js";

/*
 * The names are those of the OpenTelemetry semantic conventions 1.45, in which the attributes of RPCs are stable. Names that begin
 * with `cri.` are this package's own.
 */

/** Returns the attributes that identify the server. */
export function serverAttributes({ endpoint }: AnyOperation): Attributes {
  const { address, port } = endpointParts(endpoint);
  return known({ "server.address": address, "server.port": port });
}

/** Returns the attributes of a call or an attempt for metrics: few enough values that each combination can be a series. */
export function rpcAttributes(operation: AnyOperation): Attributes {
  if (operation.kind !== "call" && operation.kind !== "attempt") return {};
  return known({
    "rpc.system.name": "grpc",
    "rpc.method": rpcMethod(operation),
    "rpc.status_code": operation.status,
  });
}

/** The full name of the method, such as `runtime.v1.RuntimeService/Version`. */
export function rpcMethod({ name }: AnyOperation): string {
  return `runtime.v1.${name}`;
}

/**
 * Returns the attributes of an operation that failed. The conventions demand the status of an RPC as `error.type` if it has one. The
 * code of the `CriError`, which may be more exact, is an attribute of its own.
 */
export function errorAttributes(operation: AnyOperation): Attributes {
  const { kind, outcome, hasFailed } = operation;
  if (!hasFailed) return {};
  if (kind === "call") return known({ "error.type": operation.status ?? outcome, "cri.error.code": outcome });
  return known({ "error.type": outcome });
}

/** Returns the attributes of a span. At the end of the operation there are more of them than at its start. */
export function spanAttributes(operation: AnyOperation): Attributes {
  const { containerId, containerName, podSandboxId, podName, podNamespace, podUid, image } = operation.subject;
  return {
    ...serverAttributes(operation),
    ...rpcAttributes(operation),
    ...errorAttributes(operation),
    ...detailsOf(operation),
    ...(operation.outcome === "CANCELLED" && !operation.hasFailed && { "cri.ended_early": true }),
    ...known({
      "network.transport": endpointParts(operation.endpoint).transport,
      "container.id": containerId,
      "k8s.container.name": containerName,
      "k8s.pod.name": podName,
      "k8s.pod.uid": podUid,
      "k8s.namespace.name": podNamespace,
      "cri.pod_sandbox.id": podSandboxId,
      ...(image !== undefined && imageAttributes(image)),
    }),
  };
}

function detailsOf(operation: AnyOperation): Attributes {
  const hasEnded = operation.outcome !== undefined;
  switch (operation.kind) {
    case "call":
      return hasEnded
        ? known({ "cri.call.attempts": operation.attempts, "process.exit.code": operation.exitCode })
        : {};
    case "attempt":
      return {
        "cri.attempt.number": operation.attempt,
        ...(hasEnded && { "cri.attempt.received_bytes": operation.receivedBytes }),
      };
    case "session":
      return known({
        "cri.session.transport": operation.transport,
        "process.exit.code": operation.exitCode,
        ...(hasEnded && {
          "cri.session.sent_bytes": operation.sentBytes,
          "cri.session.received_bytes": operation.receivedBytes,
        }),
      });
    case "workflow":
      return operation.events.length > 0 ? { "cri.pod.events": [...operation.events] } : {};
  }
}

/**
 * Splits a reference: `registry:5000/team/app:1.2@sha256:…` has the name `registry:5000/team/app`, the tag `1.2` and a digest. Images
 * may also be named by their id, which CRI-O and Docker write without an algorithm.
 */
function imageAttributes(reference: string): Attributes {
  if (/^(?:sha\d+:)?[0-9a-f]{64,}$/.test(reference)) return { "container.image.id": reference };
  const [, name = reference, tag, digest] = /^(.*?)(?::([\w.-]+))?(?:@(.*))?$/.exec(reference) ?? [];
  return known({
    "container.image.name": name,
    "container.image.tags": tag === undefined ? undefined : [tag],
    "container.image.repo_digests": digest === undefined ? undefined : [`${name}@${digest}`],
  });
}

function known(attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}
