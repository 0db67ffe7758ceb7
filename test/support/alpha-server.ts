import { createServer, ServerError, Status } from "nice-grpc";
import { RuntimeServiceDefinition, VersionResponse } from "../../src/proto.js";

/** Starts a gRPC server that speaks CRI v1alpha2 only, as containerd 1.5 did. Returns a function that stops it. */
export async function startAlphaServer(path: string): Promise<() => void> {
  const definition = {
    ...RuntimeServiceDefinition,
    fullName: "runtime.v1alpha2.RuntimeService",
    methods: { version: RuntimeServiceDefinition.methods.version },
  } as const;
  const server = createServer();
  server.add(definition, {
    version: async ({ version }) => {
      if (version !== "") throw new ServerError(Status.INVALID_ARGUMENT, "the version must be empty");
      const reply = { version: "0.1.0", runtimeName: "containerd", runtimeVersion: "1.5.18" };
      return VersionResponse.fromPartial({ ...reply, runtimeApiVersion: "v1alpha2" });
    },
  });
  await server.listen(`unix://${path}`);
  return () => server.forceShutdown();
}
