const dockerHub: readonly string[] = [
  "docker.io",
  "index.docker.io",
  "registry-1.docker.io",
  "www.docker.io",
  "docker.com",
  "hub.docker.com",
  "registry.hub.docker.com",
];

/** The host from which images of Docker Hub are pulled. */
export const dockerHubRegistry = "registry-1.docker.io";

/** Returns whether a host is one of the names of Docker Hub. */
export function isDockerHub(host: string): boolean {
  return dockerHub.includes(canonicalHost(host));
}

/** Returns all canonical names of the registry at a host: several for Docker Hub, one for every other registry. */
export function registryNames(host: string): readonly string[] {
  return isDockerHub(host) ? dockerHub : [canonicalHost(host)];
}

/** Returns a host in lower case and without the default port of its scheme: `Registry.Example:443` becomes `registry.example`. */
export function canonicalHost(host: string, scheme = "https"): string {
  return host.toLowerCase().replace(scheme === "http" ? /:80$/ : /:443$/, "");
}
