/**
 * Generates the configuration file of a containerd, in the format of its version.
 *
 * @module
 */

export interface ContainerdSettings {
  /** Version of the file format: 2 up to containerd 1.7, 3 since 2.0. */
  format: 2 | 3;
  socket: string;
  root: string;
  state: string;
  sandboxImage: string;
  /** Contains one folder for each registry. */
  registriesFolder: string;
  cniConfigFolder: string;
  cniProgramFolder: string;
  /** Names of the runtime handlers and their programs, the default first. */
  handlers: ReadonlyMap<string, string>;
  tcp?: TcpSettings;
}

export interface TcpSettings {
  address: string;
  certificateFile: string;
  keyFile: string;
  /** The authority that must have issued the clients' certificates. */
  clientAuthorityFile: string;
  /** If false, the port is open but every CRI call fails with UNIMPLEMENTED. */
  servesCri: boolean;
}

type Value = string | number | boolean | readonly string[] | Table;
interface Table {
  readonly [key: string]: Value;
}

export function containerdConfig(settings: ContainerdSettings): string {
  const { tcp } = settings;
  const plugins = settings.format === 2 ? pluginsOfFormat2(settings) : pluginsOfFormat3(settings);
  return toml({
    version: settings.format,
    root: settings.root,
    state: settings.state,
    grpc: {
      address: settings.socket,
      ...(tcp && {
        tcp_address: tcp.address,
        tcp_tls_cert: tcp.certificateFile,
        tcp_tls_key: tcp.keyFile,
        tcp_tls_ca: tcp.clientAuthorityFile,
      }),
    },
    // containerd waits 2 s for the state of a task. After that, it takes 0 as the pid of the sandbox, and the containers
    // that it then creates can never start: lstat /proc/0/ns/ipc. A busy machine takes longer.
    timeouts: { "io.containerd.timeout.task.state": "30s" },
    plugins: {
      ...plugins,
      "io.containerd.internal.v1.opt": { path: `${settings.root}/opt` },
      "io.containerd.nri.v1.nri": { disable: true },
    },
  });
}

function pluginsOfFormat2(settings: ContainerdSettings): Table {
  return {
    "io.containerd.grpc.v1.cri": {
      ...server(settings),
      ...runtime(settings),
      sandbox_image: settings.sandboxImage,
      cni: { bin_dir: settings.cniProgramFolder, conf_dir: settings.cniConfigFolder },
      registry: { config_path: settings.registriesFolder },
    },
  };
}

function pluginsOfFormat3(settings: ContainerdSettings): Table {
  return {
    "io.containerd.grpc.v1.cri": server(settings),
    "io.containerd.cri.v1.runtime": {
      ...runtime(settings),
      cni: { bin_dirs: [settings.cniProgramFolder], conf_dir: settings.cniConfigFolder },
    },
    "io.containerd.cri.v1.images": {
      pinned_images: { sandbox: settings.sandboxImage },
      registry: { config_path: settings.registriesFolder },
    },
  };
}

function server(settings: ContainerdSettings): Table {
  return { stream_server_address: "127.0.0.1", disable_tcp_service: !settings.tcp?.servesCri };
}

/** Disables features that a container or a small virtual machine may not have. */
function runtime(settings: ContainerdSettings): Table {
  const runtimes = [...settings.handlers].map(([name, program]): [string, Table] => [
    name,
    { runtime_type: "io.containerd.runc.v2", options: { BinaryName: program, SystemdCgroup: false } },
  ]);
  return {
    disable_apparmor: true,
    restrict_oom_score_adj: true,
    enable_unprivileged_ports: false,
    enable_unprivileged_icmp: false,
    containerd: {
      default_runtime_name: runtimes[0]?.[0] ?? "runc",
      ...(settings.format === 2 ? { snapshotter: "overlayfs" } : {}),
      runtimes: Object.fromEntries(runtimes),
    },
  };
}

function toml(table: Table, path: readonly string[] = []): string {
  const lines: string[] = [];
  const inner: string[] = [];
  for (const [key, value] of Object.entries(table)) {
    if (isTable(value)) inner.push(toml(value, [...path, JSON.stringify(key)]));
    // Strings, numbers, booleans and lists of strings have the same syntax in JSON and TOML.
    else lines.push(`${JSON.stringify(key)} = ${JSON.stringify(value)}`);
  }
  const header = path.length === 0 ? [] : [`[${path.join(".")}]`];
  return [...header, ...lines, ...inner].join("\n");
}

function isTable(value: Value): value is Table {
  return typeof value === "object" && !Array.isArray(value);
}
