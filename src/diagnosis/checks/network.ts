import { type Finding, finding } from "../finding.js";
import { restart } from "../service-unit.js";
import type { Subject } from "../subject.js";
import { examineCni } from "./cni.js";
import { because } from "./runtime.js";

/** A network for a node without a cluster, in the format of CNI. */
const bridge = JSON.stringify({
  cniVersion: "1.0.0",
  name: "bridge",
  plugins: [
    {
      type: "bridge",
      bridge: "cni0",
      isGateway: true,
      ipMasq: true,
      ipam: { type: "host-local", ranges: [[{ subnet: "10.88.0.0/16" }]], routes: [{ dst: "0.0.0.0/0" }] },
    },
    { type: "portmap", capabilities: { portMappings: true } },
  ],
});

/** Checks the network of pods: the condition, and the CNI configuration and plugins behind it. */
export async function checkNetwork(subject: Subject): Promise<Finding[]> {
  const condition = subject.status.status?.conditions.find(({ type }) => type === "NetworkReady");
  const isReady = condition?.status !== false;
  // cri-dockerd has a network of its own without CNI, and the files of another machine cannot be examined.
  if (!subject.isLocal || (isReady && subject.version.runtimeName === "docker")) {
    return [isReady ? finding("network", "ok", "ready") : notReady("", because(condition))];
  }
  const cni = await examineCni(subject);
  const { directory, files, pluginDirectories, missing, invalid } = cni;
  if (files.length === 0 && !isReady) {
    return [
      finding("network", "failure", `not ready${because(condition)}`, {
        details: [`${directory} has no network configuration (*.conflist, *.conf)`],
        remedy:
          "Install the network of your cluster. On a node without a cluster, install the CNI plugins and a configuration such as this one; the runtime reads it at once. Pods with hostNetwork run without a network.",
        commands: [...installPlugins(pluginDirectories), ...writeBridge(directory)],
      }),
    ];
  }
  if (missing.length > 0) {
    const programs = missing.join(", ");
    return [
      finding(
        "network",
        "failure",
        `the configuration in ${directory} needs CNI plugins that are missing: ${programs}`,
        {
          details: [`searched in ${pluginDirectories.join(", ")}`, ...files],
          remedy: "Install the plugins. Without them, pods without hostNetwork do not start.",
          commands: installPlugins(pluginDirectories),
        },
      ),
    ];
  }
  if (!isReady) {
    const details = [...files.map((file) => `${directory}/${file}`), ...invalid];
    return [notReady(restart(subject.endpoint), because(condition), details)];
  }
  const using = files[0] === undefined ? "" : `: ${directory}/${files[0]}`;
  return [finding("network", "ok", `ready${using}`, { details: invalid })];
}

function notReady(command: string, reason: string, details: readonly string[] = []): Finding {
  return finding("network", "failure", `not ready${reason}`, {
    details,
    remedy: "Correct the network configuration that the message names. Pods with hostNetwork run without a network.",
    commands: command === "" ? [] : [command],
  });
}

/** Debian and Fedora install the plugins in other directories than the one that runtimes use by default. */
function installPlugins([directory = "/opt/cni/bin"]: readonly string[]): string[] {
  return [
    "sudo apt-get install containernetworking-plugins # Debian and Ubuntu; on Fedora: dnf",
    `sudo mkdir -p ${directory}`,
    `for d in /usr/lib/cni /usr/libexec/cni; do [ -d $d ] && sudo ln -sf $d/* ${directory}/; done`,
  ];
}

function writeBridge(directory: string): string[] {
  return [`sudo mkdir -p ${directory}`, `echo '${bridge}' | sudo tee ${directory}/10-bridge.conflist`];
}
