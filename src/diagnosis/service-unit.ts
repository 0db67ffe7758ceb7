import type { Endpoint } from "../transport/endpoint.js";

/** Systemd units of the runtimes, by a part of the path of their socket. */
const units = [
  ["crio", "crio"],
  ["cri-dockerd", "cri-docker"],
  ["k3s", "k3s"],
  ["k0s", "k0scontroller"],
  ["microk8s", "snap.microk8s.daemon-containerd"],
] as const;

/** Returns the systemd unit that most likely serves an endpoint. */
export function unitOf(endpoint: Endpoint): string {
  const text = endpoint.display;
  return units.find(([part]) => text.includes(part))?.[1] ?? "containerd";
}

/** Commands that show why a service does not answer. */
export function examine(endpoint: Endpoint): string[] {
  const unit = unitOf(endpoint);
  return [`systemctl status ${unit}`, `sudo journalctl -u ${unit} -n 50 --no-pager`];
}

/** The command that restarts the service of an endpoint. */
export function restart(endpoint: Endpoint): string {
  return `sudo systemctl restart ${unitOf(endpoint)}`;
}
