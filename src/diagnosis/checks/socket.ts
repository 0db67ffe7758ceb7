import { stat } from "node:fs/promises";
import { linkAbort } from "../../internal/abort.js";
import { startTimer } from "../../internal/timer.js";
import type { Endpoint, UnixEndpoint } from "../../transport/endpoint.js";
import { nameOf, octal, permissionDenied } from "../../transport/socket-access.js";
import { probeSocket } from "../../transport/socket-probe.js";
import { type Finding, finding } from "../finding.js";
import { examine, restart } from "../service-unit.js";
import type { DiagnosisSettings } from "../subject.js";

/** Checks who may use an endpoint, and whether a process listens there. */
export async function checkSocket(endpoint: Endpoint, settings: DiagnosisSettings): Promise<Finding> {
  switch (endpoint.kind) {
    case "unix":
      return checkFile(endpoint, settings);
    case "abstract":
      return finding(
        "socket",
        "warning",
        "an abstract socket has no permissions: every process of the node can use it",
        {
          remedy: "Let the runtime listen on a socket in the file system.",
        },
      );
    case "tcp":
      if (endpoint.tls) return finding("socket", "ok", `TCP with TLS to ${endpoint.host}`);
      return finding("socket", "warning", `plain TCP: whoever reaches port ${endpoint.port} is root on the node`, {
        remedy: "Use the Unix socket of the runtime, or TLS with client certificates.",
      });
    case "npipe":
      return finding("socket", "ok", `the named pipe ${endpoint.path}`);
  }
}

async function checkFile(endpoint: UnixEndpoint, settings: DiagnosisSettings): Promise<Finding> {
  const { path } = endpoint;
  const { root = "/", signal, timeoutMs } = settings;
  const link = linkAbort(signal);
  const stopTimer = startTimer(timeoutMs, () => link.abort(undefined));
  const { reachable, outcome } = await probeSocket(endpoint, { signal: link.signal, root }).finally(() => {
    stopTimer();
    link.unlink();
  });
  signal?.throwIfAborted();
  const stats = await stat(path).catch(() => undefined);
  if (!reachable) return unreachable(endpoint, outcome, stats && (await groupOf(stats, root)));
  if (stats === undefined) return finding("socket", "ok", `${path} accepts connections`);
  const { uid, gid, mode } = stats;
  const owner = `${await nameOf(uid, root, "user")} and ${await nameOf(gid, root, "group")}, mode ${octal(mode)}`;
  if ((mode & 0o002) !== 0) {
    return finding("socket", "warning", `every user may use ${path}, and so is root on the node: ${owner}`, {
      remedy: "Remove the permission of others.",
      commands: [`sudo chmod o-rwx ${quoted(path)}`],
    });
  }
  return finding("socket", "ok", `${path} belongs to ${owner}`);
}

function unreachable({ path, ...endpoint }: UnixEndpoint, outcome: string, group: string | undefined): Finding {
  const found = `${path}: ${outcome}`;
  if (outcome.startsWith(permissionDenied)) {
    return finding("socket", "failure", found, {
      remedy: "Run the program as root, or become a member of the group that owns the socket and log in again.",
      commands: ["sudo npx k8s-cri-client doctor", ...(group ? [`sudo usermod -aG ${group} "$USER"`] : [])],
    });
  }
  const at = { path, ...endpoint };
  return finding("socket", "failure", found, {
    remedy: "Start the runtime, or correct the endpoint. In a container, mount the socket of the node.",
    commands: [restart(at), ...examine(at)],
  });
}

/** Returns the group whose members may use the socket; `undefined` if there is none but root's. */
async function groupOf({ gid, mode }: { gid: number; mode: number }, root: string): Promise<string | undefined> {
  if (gid === 0 || (mode & 0o020) === 0) return undefined;
  const [, name] = (await nameOf(gid, root, "group")).split(" ");
  return name !== undefined && /^[\w-]+$/.test(name) ? name : undefined;
}

/** Quotes a word for a shell, if necessary. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
