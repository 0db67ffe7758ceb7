import type { ContainerEventResponse, VersionResponse } from "../proto.js";
import type { ContainerBackend } from "./backend/backend.js";
import type { BackendScripts } from "./backend/scripted-backend.js";
import type { EventMode, FakeFlavor } from "./flavors/profile.js";
import type { RpcName } from "./rpcs.js";
import type { FakeImage } from "./state/images.js";
import type { RegistryRules } from "./state/registry.js";
import type { StreamingProtocols } from "./streaming/streaming-server.js";
import type { ServerTls } from "./wire/server-tls.js";

/** How a {@link FakeRuntime} is to be. Every field is optional. */
export interface FakeRuntimeOptions extends BackendScripts {
  /** The runtime to imitate. @defaultValue "containerd-2" */
  flavor?: FakeFlavor | undefined;
  /**
   * Whether requests that the real runtime refuses for what is in them are refused: settings that contradict each other, a log directory
   * that does not exist on this machine, and the like.
   *
   * @defaultValue true
   */
  strict?: boolean | undefined;
  /**
   * Where to listen: a socket path, `unix:///path`, or `http://127.0.0.1:0` (`https:` with {@link tls}); port 0 takes a free
   * one. On Windows also `npipe:////./pipe/name`.
   *
   * @defaultValue a socket in a fresh folder below the system's folder for temporary files; on Windows a named pipe
   */
  endpoint?: string | undefined;
  /** Certificates, to speak TLS, on the endpoint and in sessions. Takes an endpoint of TCP. */
  tls?: ServerTls | undefined;
  /** Images that are there from the start, by reference or with properties. They are in the registry as well. */
  images?: readonly (string | FakeImage)[] | undefined;
  /** Images of the registry that have properties of their own; every other well-formed reference can be pulled too. */
  registryImages?: readonly FakeImage[] | undefined;
  /** What the registry refuses, by pattern. */
  registry?: RegistryRules | undefined;
  /** RPCs that answer UNIMPLEMENTED, besides those of the flavour. */
  unimplemented?: readonly RpcName[] | undefined;
  /** RPCs that are implemented although the flavour lacks them. @defaultValue [] */
  implemented?: readonly RpcName[] | "all" | undefined;
  /**
   * What containers are made of: scripts, or with a {@link HostProcessBackend} processes of this machine, without any isolation.
   *
   * @defaultValue scripts: see {@link run}, {@link exec} and {@link portForward}
   */
  backend?: ContainerBackend | undefined;
  /**
   * Permits an {@link endpoint} that other machines can reach together with a {@link HostProcessBackend}. Everybody who reaches it can then run
   * any command on this machine as the user who runs the tests.
   *
   * @defaultValue false: such a runtime listens on unix sockets, named pipes and loopback addresses only
   */
  allowRemoteShell?: boolean | undefined;
  /** Which protocols sessions (exec, attach, port-forward) can be had over. @defaultValue both */
  streaming?: StreamingProtocols | undefined;
  /** How GetContainerEvents behaves. @defaultValue as the flavour does it */
  events?: EventMode | undefined;
  /**
   * The time that the runtime lives by. `"virtual"` time stands still until {@link FakeRuntime.advanceTime} lets some of it pass,
   * so that a grace period of 30 seconds takes milliseconds. By it run scripts (`afterMs`, `sleep N`), grace periods, timeouts
   * of commands, the tokens of sessions, the waits of faults and of chaos, figures of usage, and the timestamps of objects, events
   * and log lines.
   *
   * What is between client and server stays real: deadlines, connections, the times in `calls`; so do the processes of a
   * {@link HostProcessBackend}.
   *
   * @defaultValue "real"
   */
  time?: "real" | "virtual" | undefined;
  /** Makes ids the same in every run. @defaultValue ids are random */
  seed?: string | number | undefined;
  /** `false` leaves a gRPC server that knows no CRI. @defaultValue true */
  serveCri?: boolean | undefined;
  /**
   * Overrides fields of the Version reply. A `runtimeVersion` of 2.4 or newer on a flavour of containerd also changes the error message for
   * the statistics of a pod without `cgroupParent`, as it changed in containerd 2.4.
   */
  version?: Partial<VersionResponse> | undefined;
  /** Names for `runtimeHandler`. @defaultValue ["runc"] */
  runtimeHandlers?: readonly string[] | undefined;
  /**
   * Where the file system of images is mounted, as ImageFsInfo and statistics report it. Clients that look at it, such as a kubelet, need a
   * directory of this machine.
   *
   * @defaultValue the directory that the runtime uses
   */
  mountpoint?: string | undefined;
  /**
   * An existing directory for logs of containers whose pod has no log directory, as `log_dir` of CRI-O. Flavours of other runtimes do not use
   * it. Files stay there when the runtime stops.
   *
   * @defaultValue statuses name `/var/log/crio/pods`, and nothing is written
   */
  logDirectory?: string | undefined;
  /** Whether the node has user namespaces, as Status reports it. @defaultValue false */
  userNamespaces?: boolean | undefined;
  /** Whether the node has CRIU. Without it, CheckpointContainer fails as on the real runtime. @defaultValue true */
  criu?: boolean | undefined;
  /** How many items a message of a streaming list holds. @defaultValue 100 */
  streamBatchSize?: number | undefined;
  /** Largest message in either direction, in bytes. @defaultValue as the flavour has it: 16 MiB, CRI-O 80 MiB */
  maxMessageBytes?: number | undefined;
}

/** How a runtime comes back. */
export interface RestartOptions {
  /** Whether it remembers pods, containers and images. @defaultValue true */
  keepState?: boolean | undefined;
  /**
   * What became of running containers: they went on, as they do under their shims; they were lost with the node, and have exited; or they
   * ended and the runtime does not notice, so that it reports them as running for ever, as CRI-O may when it is killed inside StartContainer.
   *
   * @defaultValue "running"
   */
  containers?: "running" | "lost" | "untracked" | undefined;
}

/** An event as a test writes it; what is left out is zero or empty. */
export type FakeEvent = Parameters<typeof ContainerEventResponse.fromPartial>[0];
