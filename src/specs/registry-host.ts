const dockerHub: readonly string[] = [
  "docker.io",
  "index.docker.io",
  "registry-1.docker.io",
  "www.docker.io",
  "docker.com",
  "hub.docker.com",
  "registry.hub.docker.com",
];

/** The host that Docker Hub's images are pulled from. */
export const dockerHubRegistry = "registry-1.docker.io";

/** Whether a host is one of the names of Docker Hub. */
export function isDockerHub(host: string): boolean {
  return dockerHub.includes(canonicalHost(host));
}

/** All names of the registry at a host, canonical: several for Docker Hub, one for every other. */
export function registryNames(host: string): readonly string[] {
  return isDockerHub(host) ? dockerHub : [canonicalHost(host)];
}

/** A host in lower case and without the port that its scheme implies: `Registry.Example:443` becomes `registry.example`. */
export function canonicalHost(host: string, scheme = "https"): string {
  return host.toLowerCase().replace(scheme === "http" ? /:80$/ : /:443$/, "");
}
