import { PodSandboxConfig } from "../../proto.js";
import { cgroupParentOf } from "./cgroup-parent.js";
import { dnsConfigOf } from "./dns-config.js";
import { kernelName } from "./hostname.js";
import { podAnnotations, sandboxLabels } from "./labels.js";
import { type ResourceContext, sandboxOverhead, sandboxResources } from "./linux-resources.js";
import { namespaceOf, type PodContext } from "./pod-context.js";
import { podHashAnnotation } from "./pod-labels.js";
import { namespaceOptionsOf } from "./pod-namespaces.js";
import { sandboxSecurity } from "./pod-security.js";
import { portMappingsOf } from "./ports.js";
import { sysctlsOf } from "./sysctls.js";

/** What all messages of a plan are computed from. */
export interface MessageContext extends PodContext, ResourceContext {
  hash: string;
  logDirectory: string;
}

/** Returns the configuration of a pod's sandbox, as a kubelet sends it. */
export function sandboxConfig(context: MessageContext, attempt: number): PodSandboxConfig {
  const { pod, node, uid, hash, logDirectory, qosClass } = context;
  const { name } = pod.metadata;
  return PodSandboxConfig.create({
    metadata: { name, namespace: namespaceOf(context), uid, attempt },
    hostname: kernelName(pod, node),
    logDirectory,
    dnsConfig: dnsConfigOf(pod, node),
    portMappings: portMappingsOf(pod),
    labels: sandboxLabels(context),
    annotations: { ...podAnnotations(pod), [podHashAnnotation]: hash },
    linux: {
      cgroupParent: cgroupParentOf(node, qosClass, uid),
      securityContext: sandboxSecurity(pod, namespaceOptionsOf(context)),
      sysctls: sysctlsOf(pod, node),
      overhead: sandboxOverhead(context),
      resources: sandboxResources(context),
    },
  });
}
