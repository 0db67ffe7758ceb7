import type { ManifestMetadata } from "../manifest/metadata.js";
import type { PodManifest } from "../manifest/pod.js";
import { dnsLabel } from "./rules/names.js";
import type { PodTemplate, StatefulSetSpec, Workload } from "./schema/workload.js";

/** Returns the pod of a workload. It has the workload's name, without the random suffix that a cluster adds. */
export function podOfTemplate(
  { metadata: { name, namespace } }: { metadata: ManifestMetadata },
  { metadata: { labels, annotations } = {}, spec }: PodTemplate,
  ownLabels: Readonly<Record<string, string>> = {},
): PodManifest {
  const allLabels = { ...labels, ...ownLabels };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      ...(namespace !== undefined && { namespace }),
      ...(Object.keys(allLabels).length > 0 && { labels: allLabels }),
      ...(annotations !== undefined && { annotations }),
    },
    spec,
  };
}

/** Returns the first pod of a StatefulSet, with the names that a cluster gives it. */
export function podOfStatefulSet({ metadata, spec }: Workload<StatefulSetSpec>): PodManifest {
  const name = `${metadata.name}-0`;
  const labels = { "statefulset.kubernetes.io/pod-name": name, "apps.kubernetes.io/pod-index": "0" };
  const pod = podOfTemplate({ metadata: { ...metadata, name } }, spec.template, labels);
  const names = {
    // A longer name is no host name; the kubelet shortens it.
    ...(dnsLabel(name) === undefined && { hostname: name }),
    ...(spec.serviceName !== undefined && { subdomain: spec.serviceName }),
  };
  return { ...pod, spec: { ...pod.spec, ...names } };
}
