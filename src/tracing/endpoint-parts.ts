/** The parts of an endpoint, as attributes of spans and metrics name them. */
export interface EndpointParts {
  /** The host, or the path or name of the socket or pipe. */
  readonly address: string;
  readonly port: number | undefined;
  readonly transport: "tcp" | "unix" | "pipe";
}

/** Splits an endpoint in its canonical spelling. */
export function endpointParts(endpoint: string): EndpointParts {
  const [, scheme = "", rest = ""] = /^([\w-]+):(?:\/\/)?(.*)$/.exec(endpoint) ?? [];
  if (scheme === "npipe") return { address: rest, port: undefined, transport: "pipe" };
  if (scheme === "unix-abstract") return { address: rest, port: undefined, transport: "unix" };
  if (scheme === "unix") return { address: decodeURIComponent(rest), port: undefined, transport: "unix" };
  const { hostname, port } = new URL(`tcp://${rest}`);
  return { address: hostname.replace(/^\[|\]$/g, ""), port: port === "" ? undefined : Number(port), transport: "tcp" };
}
