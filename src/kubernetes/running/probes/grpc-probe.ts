import { isIPv6 } from "node:net";
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { Client, credentials, type ServiceError, status } from "@grpc/grpc-js";
import { onAbort } from "../../../internal/abort.js";
import { failure, type ProbeOutcome } from "./probe.js";

const method = "/grpc.health.v1.Health/Check";
const serving = 1;
const statusNames = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];

/** Probes with the gRPC health protocol, without TLS. Success is the status SERVING. Rejects with the signal's reason. */
export async function probeGrpc(
  { host, port, service, userAgent }: { host: string; port: number; service: string; userAgent: string },
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  const client = new Client(isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`, credentials.createInsecure(), {
    "grpc.primary_user_agent": userAgent,
    // A proxy of the environment does not lead to pods.
    "grpc.enable_http_proxy": 0,
    // Every probe opens a connection of its own.
    "grpc.use_local_subchannel_pool": 1,
  });
  try {
    const health = await check(client, service, Date.now() + timeoutMs, signal);
    if (health === serving) return { outcome: "success", message: "" };
    return failure(`service unhealthy (responded with "${statusNames[health] ?? health}")`);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    return failure(reasonOf(error as ServiceError, service, timeoutMs));
  } finally {
    client.close();
  }
}

function check(client: Client, service: string, deadline: number, signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = client.makeUnaryRequest(method, encode, decode, service, { deadline }, (error, value) => {
      unlisten();
      if (error) reject(error);
      else resolve(value ?? 0);
    });
    const unlisten = onAbort(signal, () => call.cancel());
    if (signal.aborted) call.cancel();
  });
}

function reasonOf(error: ServiceError, service: string, timeoutMs: number): string {
  switch (error.code) {
    case status.UNIMPLEMENTED:
      return "this server does not implement the grpc health protocol (grpc.health.v1.Health)";
    case status.DEADLINE_EXCEEDED:
      return `timeout: health rpc did not complete within ${timeoutMs / 1000}s`;
    case status.NOT_FOUND:
      return `the server does not know the service ${JSON.stringify(service)}`;
    default:
      return `health rpc failed: ${error.details}`;
  }
}

/** HealthCheckRequest: `string service = 1`. */
function encode(service: string): Buffer {
  return Buffer.from(new BinaryWriter().uint32(10).string(service).finish());
}

/** HealthCheckResponse: `ServingStatus status = 1`. */
function decode(bytes: Buffer): number {
  const reader = new BinaryReader(bytes);
  let health = 0;
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1 && wireType === WireType.Varint) health = reader.int32();
    else reader.skip(wireType, field);
  }
  return health;
}
