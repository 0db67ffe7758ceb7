import type { ServerCredentials, ServerInterceptor } from "@grpc/grpc-js";
import { ServerInterceptingCall } from "@grpc/grpc-js";
import { type CallContext, createServer, ServerError, Status } from "nice-grpc";
import {
  RuntimeServiceDefinition,
  type RuntimeServiceImplementation,
  type VersionRequest,
  VersionResponse,
} from "../../src/proto.js";

/** Options of {@link startVersionServer}. */
export interface VersionServerOptions {
  credentials?: ServerCredentials | undefined;
  /** The approximate size of the reply in bytes. */
  replyBytes?: number | undefined;
}

/** A gRPC server that implements Version only. */
export interface VersionServer {
  /** The TCP port, if it listens on one. */
  readonly port: number;
  /** The `:authority` headers of all calls. */
  readonly authorities: readonly string[];
  /** Closes all connections and stops listening. */
  stop(): void;
}

/** Starts a server on an address of grpc-js, such as `unix:///path` or `host:port`. */
export async function startVersionServer(address: string, options: VersionServerOptions = {}): Promise<VersionServer> {
  const authorities: string[] = [];
  const noteAuthority: ServerInterceptor = (_method, call) => {
    authorities.push(call.getHost());
    return new ServerInterceptingCall(call);
  };
  const server = createServer({ "grpc.max_send_message_length": -1, interceptors: [noteAuthority] } as object);
  server.add(RuntimeServiceDefinition, onlyVersion(options.replyBytes ?? 0));
  const port = await server.listen(address, options.credentials);
  return { port, authorities, stop: () => server.forceShutdown() };
}

function onlyVersion(replyBytes: number): RuntimeServiceImplementation {
  const version = async (_request: VersionRequest, _context: CallContext) =>
    VersionResponse.fromPartial({
      version: "0.1.0",
      runtimeName: `test${"x".repeat(replyBytes)}`,
      runtimeVersion: "1",
      runtimeApiVersion: "v1",
    });
  const unimplemented = async () => {
    throw new ServerError(Status.UNIMPLEMENTED, "only Version");
  };
  return new Proxy({ version } as object as RuntimeServiceImplementation, {
    get: (target, name) => Reflect.get(target, name) ?? unimplemented,
  });
}
