import { untilAborted } from "../../internal/abort.js";
import { type CommandModule, UsageError } from "../command.js";
import { printable } from "../output/table.js";
import { addNamespaceOption } from "../select.js";

interface PortForwardOptions {
  address: string[];
  namespace?: string;
}

interface PortPair {
  /** The local port; 0 for a free one. */
  readonly local: number;
  readonly remote: number;
}

/** `port-forward`: forwards local ports to ports of a pod, until it is interrupted. */
export const portForward: CommandModule<PortForwardOptions> = {
  define(command) {
    command
      .argument("<POD>", "the pod")
      .argument("<PORT...>", "[LOCAL:]REMOTE; :REMOTE takes a free local port")
      .option("--address <addresses>", "the local addresses to listen on", addresses, ["127.0.0.1"]);
    addNamespaceOption(command);
    command.addHelpText("after", help);
  },

  async run({ connect, terminal, print, note }, [name = "", ...ports], { address, namespace }) {
    const pairs = ports.map(parsePorts);
    const cri = await connect();
    const pod = await cri.pods.resolve(name, { namespace });
    await using forward = pod.portForward(pairs.map(({ remote }) => remote));
    for (const { local, remote } of pairs) {
      for (const host of address) {
        const listener = await forward.listen({ host, port: local, remotePort: remote });
        listener.on("connectionError", ({ message }) => note(`Connection to port ${remote}: ${printable(message)}`));
        const at = listener.address;
        const shown = at.family === "IPv6" ? `[${at.address}]` : at.address;
        await print(`Forwarding from ${shown}:${at.port} -> ${remote}\n`);
      }
    }
    await untilAborted(new Promise<never>(() => {}), terminal.signal);
  },
};

/** Parses local addresses, separated by commas. `localhost` is the loopback address of IPv4. */
function addresses(text: string): string[] {
  return text.split(",").map((part) => (part.trim() === "localhost" ? "127.0.0.1" : part.trim()));
}

/** Parses `REMOTE`, `LOCAL:REMOTE` or `:REMOTE`. */
export function parsePorts(text: string): PortPair {
  const [, local, remote] = /^(?:(\d*):)?(\d+)$/.exec(text) ?? [];
  const pair = { local: Number(local ?? remote), remote: Number(remote) };
  const isPort = (port: number) => port <= 65_535;
  if (remote === undefined || !isPort(pair.local) || !isPort(pair.remote) || pair.remote === 0) {
    throw new UsageError(`ports must be REMOTE, LOCAL:REMOTE or :REMOTE with numbers up to 65535, got ${text}`);
  }
  return pair;
}

const help = `
Ends on Ctrl-C. A connection that fails is reported, and the others continue. Everyone who can connect to a local
address can connect to the pod.

Examples:
  k8s-cri-client port-forward web 8080:80
  k8s-cri-client port-forward web :80 :9090
  k8s-cri-client port-forward --address 0.0.0.0 web 8080:80`;
