import { readFile } from "node:fs/promises";
import type { ResolverConfig } from "./node-config.js";

/** The servers of systemd-resolved's stub. They are loopback addresses, so no container can reach them. */
const stubServers = new Set(["127.0.0.53", "127.0.0.54"]);

/** The file in which systemd-resolved lists the servers behind its stub. */
const behindStub = "/run/systemd/resolve/resolv.conf";

/**
 * Reads the resolver settings of the node. If they only lead to the stub of systemd-resolved, reads those behind it, as kubeadm
 * configures a kubelet. A missing default file means no settings.
 *
 * @param path the file (`resolvConf` of a kubelet); `""` for none
 */
export async function readResolverConfig(path: string | undefined): Promise<ResolverConfig> {
  if (path === "") return parseResolverConfig("");
  if (path !== undefined) return parseResolverConfig(await readFile(path, "utf8"));
  const found = parseResolverConfig(await readFile("/etc/resolv.conf", "utf8").catch(() => ""));
  const isStub = found.nameservers.length > 0 && found.nameservers.every((server) => stubServers.has(server));
  const text = isStub ? await readFile(behindStub, "utf8").catch(() => undefined) : undefined;
  return text === undefined ? found : parseResolverConfig(text);
}

/**
 * Parses a `resolv.conf` as a kubelet does: of several `search` lines the last one counts, and of an option that is given several
 * times the last value.
 */
export function parseResolverConfig(text: string): ResolverConfig {
  const nameservers: string[] = [];
  let searches: string[] = [];
  const options = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [key = "", ...values] = line.trim().split(/\s+/);
    if (key === "nameserver") nameservers.push(...values.slice(0, 1));
    // A final dot is of no use to resolvers, and "." stands for no domain.
    if (key === "search") searches = values.map((value) => (value === "." ? value : value.replace(/\.$/, "")));
    if (key === "options") for (const option of values) options.set(option.split(":", 1)[0] ?? "", option);
  }
  return { nameservers, searches, options: [...options.values()] };
}
