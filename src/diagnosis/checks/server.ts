import { CriClient } from "../../client.js";
import { CriError, InvalidInputError } from "../../errors.js";
import { readRegular } from "../../internal/files/open-regular.js";
import type { VersionResponse } from "../../proto.js";
import { probeAlpha } from "../../transport/alpha-probe.js";
import type { Endpoint } from "../../transport/endpoint.js";
import { resolveUnder } from "../../transport/node-root.js";
import { type Finding, finding } from "../finding.js";
import { examine, restart } from "../service-unit.js";
import { type DiagnosisSettings, failureOf } from "../subject.js";
import type { EndpointSearch } from "./endpoint.js";

/** A reply to Version that takes longer deserves attention, in milliseconds. A healthy runtime needs a few. */
const slowMs = 1_000;

/** A client of a server that speaks CRI v1, or why there is none. */
export interface ServerCheck {
  readonly finding: Finding;
  /** The caller closes it. */
  readonly answering?: { readonly cri: CriClient; readonly version: VersionResponse };
}

/** Connects, and calls Version. */
export async function checkServer(
  { endpoint, imageEndpoint }: NonNullable<EndpointSearch["found"]>,
  settings: DiagnosisSettings,
): Promise<ServerCheck> {
  const { tls, streamTls, streamUrl, allowInsecureTcp, timeoutMs, signal } = settings;
  let cri: CriClient;
  try {
    cri = CriClient.lazy({
      endpoint: endpoint.display,
      imageEndpoint: imageEndpoint.display,
      ...{ tls, streamTls, streamUrl, allowInsecureTcp },
      defaults: { retry: false },
    });
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    const remedy = "Correct the TLS settings of the connection.";
    return { finding: finding("server", "failure", error.details, { remedy }) };
  }
  try {
    const startedAt = performance.now();
    const version = await cri.version({ timeoutMs, signal });
    const tookMs = Math.round(performance.now() - startedAt);
    return { finding: answers(endpoint, version, tookMs), answering: { cri, version } };
  } catch (error) {
    await cri.close();
    return { finding: await explain(error, endpoint, settings) };
  }
}

function answers(endpoint: Endpoint, { runtimeApiVersion }: VersionResponse, tookMs: number): Finding {
  const found = `speaks CRI ${runtimeApiVersion}, and answered in ${tookMs} ms`;
  if (tookMs < slowMs) return finding("server", "ok", found);
  return finding("server", "warning", `${found}, which is slow`, {
    remedy: "Check the load of the node, and the log of the runtime.",
    commands: ["uptime", ...examine(endpoint)],
  });
}

async function explain(error: unknown, endpoint: Endpoint, settings: DiagnosisSettings): Promise<Finding> {
  settings.signal?.throwIfAborted();
  if (CriError.is(error, "UNIMPLEMENTED")) return withoutCri(endpoint, settings);
  const { code, details } = error as CriError;
  if (CriError.is(error, "DEADLINE_EXCEEDED")) {
    const found = `accepts connections, but did not answer Version within ${settings.timeoutMs} ms`;
    return finding("server", "failure", found, {
      remedy: "Wait if the runtime is starting; otherwise restart it. Check that the endpoint is that of a runtime.",
      commands: [...examine(endpoint), restart(endpoint)],
    });
  }
  if (CriError.is(error) && endpoint.kind === "tcp") {
    const remedy = endpoint.tls
      ? "Check host and port, that the certificate of the server is for this host and from a trusted authority (tls.ca), and that the server accepts the client certificate (tls.cert, tls.key)."
      : "Check host and port, and whether the server expects TLS: then use https://.";
    return finding("server", "failure", `${code}: ${details}`, { remedy });
  }
  if (CriError.is(error)) {
    return finding("server", "failure", `no CRI server: ${code}: ${details}`, {
      remedy: "Check that the endpoint is that of a container runtime, and read its log.",
      commands: examine(endpoint),
    });
  }
  return failureOf("server", error, settings.signal);
}

/** A gRPC server without CRI v1: an old runtime, or one whose CRI is switched off. */
async function withoutCri(endpoint: Endpoint, settings: DiagnosisSettings): Promise<Finding> {
  const { tls, timeoutMs, signal } = settings;
  const old = await probeAlpha(endpoint, { tls, timeoutMs, signal });
  signal?.throwIfAborted();
  if (old !== undefined) {
    return finding("server", "failure", `${old} speaks CRI v1alpha2 only, which is older than v1`, {
      remedy: "Upgrade the runtime: to containerd 1.6, CRI-O 1.23, cri-dockerd 0.3 or newer.",
      commands: ["sudo apt-get update && sudo apt-get install --only-upgrade containerd # Debian and Ubuntu"],
    });
  }
  if (endpoint.kind === "tcp") {
    return finding("server", "failure", "the gRPC server does not serve CRI on TCP", {
      remedy: "containerd serves CRI on TCP only with disable_tcp_service = false in its CRI settings; use its socket.",
    });
  }
  const disabled = await disabledIn("/etc/containerd/config.toml", settings.root ?? "/");
  return finding(
    "server",
    "failure",
    "the gRPC server does not serve CRI: its plugin is disabled, or it is no runtime",
    {
      details: disabled === undefined ? [] : [disabled],
      remedy:
        "Enable the CRI plugin of containerd and restart it. The containerd packages of Docker disable it; Docker itself needs cri-dockerd.",
      commands: [
        "grep -n disabled_plugins /etc/containerd/config.toml",
        "sudo sed -i 's/^disabled_plugins.*/disabled_plugins = []/' /etc/containerd/config.toml",
        restart(endpoint),
      ],
    },
  );
}

/** Finds the line that disables CRI in the configuration of containerd. */
async function disabledIn(path: string, root: string): Promise<string | undefined> {
  const text = await resolveUnder(root, path)
    .then((file) => readRegular(file, 1024 * 1024))
    .catch(() => "");
  const lines = String(text).split("\n");
  const index = lines.findIndex((line) => /^\s*disabled_plugins\s*=.*cri/.test(line));
  return index === -1 ? undefined : `${path}:${index + 1}: ${lines[index]?.trim()}`;
}
