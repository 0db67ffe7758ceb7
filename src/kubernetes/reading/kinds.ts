import type { KubernetesObjects } from "../manifest/objects.js";
import type { PodManifest } from "../manifest/pod.js";
import { podOfStatefulSet, podOfTemplate } from "./pod-of-template.js";
import { configMap, runtimeClass, secret, service, serviceAccount } from "./schema/objects.js";
import { pod } from "./schema/pod.js";
import type { Schema } from "./schema/schema.js";
import { cronJob, daemonSet, deployment, job, replicaSet, statefulSet } from "./schema/workload.js";

/** A kind of object that manifests may contain. */
export interface Kind {
  apiVersion: string;
  schema: Schema<unknown>;
  /** Makes a pod of the object. Absent: the object is one that pods refer to. */
  toPod?: ((value: never) => PodManifest) | undefined;
  /** The list that the object belongs to, if it is one that pods refer to. */
  list?: keyof KubernetesObjects | undefined;
}

const jobLabels = ({ metadata: { name } }: { metadata: { name: string } }) => ({
  "batch.kubernetes.io/job-name": name,
  "job-name": name,
});

function entry<T>(apiVersion: string, schema: Schema<T>, toPod: (value: T) => PodManifest): Kind {
  return { apiVersion, schema, toPod };
}

function referred<T>(apiVersion: string, schema: Schema<T>, list: keyof KubernetesObjects): Kind {
  return { apiVersion, schema, list };
}

/** All kinds, by name. */
export const kinds: Readonly<Record<string, Kind>> = {
  Pod: entry("v1", pod, (value) => value),
  Deployment: entry("apps/v1", deployment, (value) => podOfTemplate(value, value.spec.template)),
  ReplicaSet: entry("apps/v1", replicaSet, (value) => podOfTemplate(value, value.spec.template)),
  DaemonSet: entry("apps/v1", daemonSet, (value) => podOfTemplate(value, value.spec.template)),
  StatefulSet: entry("apps/v1", statefulSet, podOfStatefulSet),
  Job: entry("batch/v1", job, (value) => podOfTemplate(value, value.spec.template, jobLabels(value))),
  CronJob: entry("batch/v1", cronJob, (value) => {
    return podOfTemplate(value, value.spec.jobTemplate.spec.template, jobLabels(value));
  }),
  ConfigMap: referred("v1", configMap, "configMaps"),
  Secret: referred("v1", secret, "secrets"),
  ServiceAccount: referred("v1", serviceAccount, "serviceAccounts"),
  RuntimeClass: referred("node.k8s.io/v1", runtimeClass, "runtimeClasses"),
  Service: referred("v1", service, "services"),
};
