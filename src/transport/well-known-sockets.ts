import { type NpipeEndpoint, npipeEndpoint, type UnixEndpoint, unixEndpoint } from "./endpoint.js";

/** A socket or pipe on which a runtime listens by default. */
export interface WellKnownSocket {
  /** The name of the runtime or distribution. */
  runtime: string;
  endpoint: UnixEndpoint | NpipeEndpoint;
}

const linux = [
  // crictl's defaults, in crictl's order.
  ["containerd", "/run/containerd/containerd.sock"],
  ["CRI-O", "/run/crio/crio.sock"],
  ["cri-dockerd", "/var/run/cri-dockerd.sock"],
  // Distributions with their own containerd, which crictl does not find without configuration.
  ["k3s or rke2", "/run/k3s/containerd/containerd.sock"],
  ["k0s", "/run/k0s/containerd.sock"],
  ["microk8s", "/var/snap/microk8s/common/run/containerd.sock"],
] as const;

const freebsd = [
  ["containerd", "/var/run/containerd/containerd.sock"],
  ["CRI-O", "/var/run/crio/crio.sock"],
  ["cri-dockerd", "/var/run/cri-dockerd.sock"],
] as const;

const windows = [
  ["containerd", "//./pipe/containerd-containerd"],
  ["cri-dockerd", "//./pipe/cri-dockerd"],
] as const;

/** Returns the well-known sockets of a platform, most likely first. */
export function wellKnownSockets(platform: NodeJS.Platform): readonly WellKnownSocket[] {
  if (platform === "win32") return windows.map(([runtime, name]) => ({ runtime, endpoint: npipeEndpoint(name) }));
  return (platform === "freebsd" ? freebsd : linux).map(([runtime, path]) => ({
    runtime,
    endpoint: unixEndpoint(path),
  }));
}
