import { EndpointError, InvalidInputError } from "../../errors.js";
import { discoverEndpoints } from "../../transport/discovery.js";
import { type Endpoint, parseEndpoint } from "../../transport/endpoint.js";
import { permissionDenied } from "../../transport/socket-access.js";
import { type Finding, finding } from "../finding.js";
import type { DiagnosisSettings } from "../subject.js";

/** The endpoints to examine, if there are any. */
export interface EndpointSearch {
  readonly findings: readonly Finding[];
  readonly found?: {
    readonly endpoint: Endpoint;
    readonly imageEndpoint: Endpoint;
    /** Where the endpoint was found. */
    readonly source: string;
  };
}

/** Finds the endpoints as `CriClient.connect` does, and reports where. */
export async function findEndpoints(settings: DiagnosisSettings): Promise<EndpointSearch> {
  const { endpoint: given, imageEndpoint: givenImage, allowInsecureTcp, signal } = settings;
  const replaceable: Finding[] = [];
  try {
    const parse = (address: string | undefined, field: string) =>
      address === undefined ? undefined : parseEndpoint(address, { field, allowInsecureTcp });
    const image = parse(givenImage, "imageEndpoint");
    const endpoint = parse(given, "endpoint");
    if (endpoint) {
      const found = { endpoint, imageEndpoint: image ?? endpoint, source: "the option endpoint" };
      return { findings: [report(found)], found };
    }
    const { env, platform, configPath, root, timeoutMs } = settings;
    const warn = (_: string, fields: Record<string, unknown>) => void replaceable.push(replaceableFile(fields));
    const discovered = await discoverEndpoints(
      { env, platform, configPath, root, allowInsecureTcp, signal, probeTimeoutMs: timeoutMs, logger: { warn } },
      image,
    );
    const details = discovered.tried.map(
      ({ endpoint: address, source, outcome }) => `${address || source}: ${outcome}`,
    );
    return { findings: [report(discovered, details), ...replaceable], found: discovered };
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof InvalidInputError) {
      const remedy = "Correct the endpoint. For containerd, it is usually unix:///run/containerd/containerd.sock.";
      return { findings: [finding("endpoint", "failure", error.details, { remedy })] };
    }
    if (error instanceof EndpointError) return { findings: [nothingFound(error)] };
    throw error;
  }
}

function report(
  { endpoint, imageEndpoint, source }: NonNullable<EndpointSearch["found"]>,
  details: readonly string[] = [],
): Finding {
  const images = imageEndpoint.display === endpoint.display ? "" : `, images at ${imageEndpoint.display}`;
  return finding("endpoint", "ok", `${endpoint.display} from ${source}${images}`, { details });
}

function nothingFound({ tried }: EndpointError): Finding {
  const details = tried.map(({ endpoint, source, outcome }) => `${endpoint || source}: ${outcome}`);
  const isDenied = tried.some(({ outcome }) => outcome.startsWith(permissionDenied));
  if (isDenied) {
    return finding("endpoint", "failure", "this user may not use the sockets of the node", {
      details,
      remedy: "Run the program as root, or as a member of the group that owns the socket.",
      commands: ["sudo npx k8s-cri-client doctor"],
    });
  }
  return finding("endpoint", "failure", "no container runtime was found", {
    details,
    remedy:
      "Install and start a runtime. If one listens elsewhere, set CONTAINER_RUNTIME_ENDPOINT. In a container, mount the socket of the node.",
    commands: [
      "sudo apt-get install containerd # Debian and Ubuntu",
      "sudo systemctl enable --now containerd",
      "export CONTAINER_RUNTIME_ENDPOINT=unix:///run/containerd/containerd.sock",
    ],
  });
}

function replaceableFile({ path, because, remedy }: Record<string, unknown>): Finding {
  const found = `users other than root can replace ${path}: ${because}`;
  return finding("endpoint", "warning", found, { remedy: `Run ${remedy}.` });
}
