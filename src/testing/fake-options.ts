import { checkOptions, type FieldsOf } from "../input/call-options.js";
import { list } from "../input/check.js";
import type { ContainerEventResponse, VersionResponse } from "../proto.js";
import type { ContainerBackend } from "./backend/backend.js";
import { type BackendScripts, scriptFields } from "./backend/scripted-backend.js";
import type { EventMode, FakeFlavor } from "./flavors/profile.js";
import type { RpcName } from "./rpcs.js";
import { checkFakeImage, type FakeImage } from "./state/images.js";
import type { RegistryRules } from "./state/registry.js";
import type { StreamingProtocols } from "./streaming/streaming-server.js";
import type { ServerTls } from "./wire/server-tls.js";

/** Options of a {@link FakeRuntime}. Every field is optional. */
export interface FakeRuntimeOptions extends BackendScripts {
  /** The runtime to imitate. @defaultValue "containerd-2" */
  flavor?: FakeFlavor | undefined;
  /**
   * Whether to reject requests with settings that the real runtime rejects, such as settings that contradict each other, or a log
   * directory that does not exist on this machine.
   *
   * @defaultValue true
   */
  strict?: boolean | undefined;
  /**
   * Where to listen: a socket path, `unix:///path`, or `http://127.0.0.1:0` (`https:` with {@link tls}). Port 0 chooses a free
   * port. On Windows also `npipe:////./pipe/name`.
   *
   * @defaultValue a socket in a new folder in the system's temporary folder; on Windows a named pipe
   */
  endpoint?: string | undefined;
  /** Certificates for TLS, on the endpoint and in sessions. Requires a TCP endpoint. */
  tls?: ServerTls | undefined;
  /** Images that the runtime has from the start, by reference or with properties. The registry also has these images. */
  images?: readonly (string | FakeImage)[] | undefined;
  /** Images of the registry with properties. Every other well-formed reference can also be pulled. */
  registryImages?: readonly FakeImage[] | undefined;
  /** Pulls that the registry rejects, by pattern. */
  registry?: RegistryRules | undefined;
  /** RPCs that fail with UNIMPLEMENTED, besides those of the flavour. */
  unimplemented?: readonly RpcName[] | undefined;
  /** RPCs that the runtime implements in addition to those of the flavour. @defaultValue [] */
  implemented?: readonly RpcName[] | "all" | undefined;
  /**
   * Runs the containers: as scripts, or with a {@link HostProcessBackend} as processes of this machine, without any isolation.
   *
   * @defaultValue scripts: see {@link run}, {@link exec} and {@link portForward}
   */
  backend?: ContainerBackend | undefined;
  /**
   * Permits a {@link HostProcessBackend} on an {@link endpoint} that other machines can reach. Anyone who reaches it can then run
   * any command on this machine as the user who runs the tests.
   *
   * @defaultValue false: such a runtime listens on unix sockets, named pipes and loopback addresses only
   */
  allowRemoteShell?: boolean | undefined;
  /** The protocols of sessions (exec, attach, port-forward). @defaultValue both */
  streaming?: StreamingProtocols | undefined;
  /** How GetContainerEvents behaves. @defaultValue as on the runtime of the flavour */
  events?: EventMode | undefined;
  /**
   * The clock of the runtime. With `"virtual"`, time advances only by {@link FakeRuntime.advanceTime}, so that a grace period of
   * 30 seconds takes milliseconds. The clock drives:
   *
   * - scripts (`afterMs`, `sleep N`), grace periods, time limits of commands and the expiry of session tokens;
   * - the delays of faults and of chaos;
   * - usage figures, and the timestamps of objects, events and log lines.
   *
   * Deadlines of calls, connections, the times in `calls` and the processes of a {@link HostProcessBackend} always use real time.
   *
   * @defaultValue "real"
   */
  time?: "real" | "virtual" | undefined;
  /** Makes ids the same in every run. @defaultValue ids are random */
  seed?: string | number | undefined;
  /** `false` serves gRPC without any CRI service. @defaultValue true */
  serveCri?: boolean | undefined;
  /**
   * Overrides fields of the Version reply. On a containerd flavour, a `runtimeVersion` of 2.4 or newer also changes the error
   * message for the statistics of a pod without `cgroupParent`, as containerd 2.4 changed it.
   */
  version?: Partial<VersionResponse> | undefined;
  /** The names that `runtimeHandler` accepts. @defaultValue ["runc"] */
  runtimeHandlers?: readonly string[] | undefined;
  /**
   * Where the file system of images is mounted, as ImageFsInfo and statistics report it. Clients that read it, such as a kubelet,
   * need a directory of this machine.
   *
   * @defaultValue the directory that the runtime uses
   */
  mountpoint?: string | undefined;
  /**
   * An existing directory for logs of containers whose pod has no log directory, like CRI-O's `log_dir`. Other flavours ignore
   * it. The files stay there when the runtime stops.
   *
   * @defaultValue statuses report `/var/log/crio/pods`, and nothing is written
   */
  logDirectory?: string | undefined;
  /** Whether the node has user namespaces, as Status reports it. @defaultValue false */
  userNamespaces?: boolean | undefined;
  /** Whether the node has CRIU. Without it, CheckpointContainer fails as on the real runtime. @defaultValue true */
  criu?: boolean | undefined;
  /** The number of items in each message of a streaming list. @defaultValue 100 */
  streamBatchSize?: number | undefined;
  /** Limit on a message in either direction, in bytes. @defaultValue that of the flavour: 16 MiB, CRI-O 80 MiB */
  maxMessageBytes?: number | undefined;
}

/** How {@link FakeRuntime.restart} restarts a runtime. */
export interface RestartOptions {
  /** Whether the runtime keeps its pods, containers and images. @defaultValue true */
  keepState?: boolean | undefined;
  /**
   * What happens to running containers:
   *
   * - `"running"`: they continue to run, as under their shims.
   * - `"lost"`: they were lost with the node and have exited.
   * - `"untracked"`: they end, but the runtime reports them as running forever, as CRI-O may do after it is killed during
   *   StartContainer.
   *
   * @defaultValue "running"
   */
  containers?: "running" | "lost" | "untracked" | undefined;
}

/** An event to emit. Omitted fields are zero or empty. */
export type FakeEvent = Parameters<typeof ContainerEventResponse.fromPartial>[0];

const fakeRuntimeFields: FieldsOf<FakeRuntimeOptions> = {
  flavor: true,
  strict: true,
  endpoint: true,
  tls: true,
  images: true,
  registryImages: true,
  registry: true,
  unimplemented: true,
  implemented: true,
  backend: true,
  allowRemoteShell: true,
  streaming: true,
  events: true,
  time: true,
  seed: true,
  serveCri: true,
  version: true,
  runtimeHandlers: true,
  mountpoint: true,
  logDirectory: true,
  userNamespaces: true,
  criu: true,
  streamBatchSize: true,
  maxMessageBytes: true,
  ...scriptFields,
};

export const restartFields: FieldsOf<RestartOptions> = { keepState: true, containers: true };

const versionFields: FieldsOf<VersionResponse> = {
  version: true,
  runtimeName: true,
  runtimeVersion: true,
  runtimeApiVersion: true,
};

const streamingFields: FieldsOf<StreamingProtocols> = { spdy: true, websocket: true };

const tlsFields: FieldsOf<ServerTls> = { cert: true, key: true, clientCa: true };

/** Checks the names of the options of a fake runtime, and of the options in them. @throws InvalidInputError */
export function checkFakeOptions(options: FakeRuntimeOptions): void {
  checkOptions(options, fakeRuntimeFields);
  list(options.images, "images", checkFakeImage);
  list(options.registryImages, "registryImages", checkFakeImage);
  checkOptions(options.tls, tlsFields, "tls");
  checkOptions(options.streaming, streamingFields, "streaming");
  checkOptions<Partial<VersionResponse>>(options.version, versionFields, "version");
}
