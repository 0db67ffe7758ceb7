import type { ManifestMetadata } from "../../manifest/metadata.js";
import type { PodManifestSpec } from "../../manifest/pod.js";
import { dnsSubdomain } from "../rules/names.js";
import { metadata, type TemplateMetadata, templateMetadata } from "./metadata.js";
import { type ObjectRule, object, required } from "./object.js";
import { podSpec } from "./pod.js";
import { oneOf, string } from "./scalars.js";
import type { Schema } from "./schema.js";

/** A template of pods. */
export interface PodTemplate {
  metadata?: TemplateMetadata | undefined;
  spec: PodManifestSpec;
}

/** An object that creates pods in a cluster. Only the template is read: one pod is made of it. */
export interface Workload<Spec> {
  apiVersion: string;
  kind: string;
  metadata: ManifestMetadata;
  spec: Spec;
}

export interface WithTemplate {
  template: PodTemplate;
}

export interface StatefulSetSpec extends WithTemplate {
  serviceName?: string | undefined;
}

export interface CronJobSpec {
  jobTemplate: { spec: WithTemplate };
}

const template = object<PodTemplate>({ metadata: templateMetadata, spec: required(podSpec) });

const ignored = (reason: string, ...fields: readonly string[]) =>
  Object.fromEntries(fields.map((field) => [field, reason]));

const once = "one pod is run, once";
const status = { ignored: { status: "reported by a cluster" } };
const header = (apiVersion: string, kind: string) => ({
  apiVersion: required(oneOf({ [apiVersion]: true })),
  kind: required(oneOf({ [kind]: true })),
  metadata: required(metadata(dnsSubdomain)),
});

/** Pods of these workloads restart for ever. */
const restartsAlways: ObjectRule<WithTemplate> = ({ template: { spec } = {} }, at) => {
  const place = at.at("template", "spec");
  if (spec?.restartPolicy !== undefined && spec.restartPolicy !== "Always") {
    place.at("restartPolicy").refuse('must be "Always" here; use a Job for pods that end', spec.restartPolicy);
  }
  if (spec?.activeDeadlineSeconds !== undefined) place.at("activeDeadlineSeconds").fault("must not be set here", "key");
};

/** Pods of jobs end. */
const ends: ObjectRule<WithTemplate> = ({ template: { spec } = {} }, at) => {
  if (spec === undefined || spec.restartPolicy === "OnFailure" || spec.restartPolicy === "Never") return;
  at.at("template", "spec", "restartPolicy").fault('must be "OnFailure" or "Never" in a Job');
};

const controllerFields = ["selector", "replicas", "minReadySeconds", "revisionHistoryLimit"];

function controller(kind: string, ...fields: readonly string[]): Schema<Workload<WithTemplate>> {
  const spec = object<WithTemplate>(
    { template: required(template) },
    { ignored: ignored(once, ...controllerFields, ...fields) },
    restartsAlways,
  );
  return object<Workload<WithTemplate>>({ ...header("apps/v1", kind), spec: required(spec) }, status);
}

export const deployment = controller("Deployment", "strategy", "paused", "progressDeadlineSeconds");
export const replicaSet = controller("ReplicaSet");
export const daemonSet = controller("DaemonSet", "updateStrategy");

const statefulSetSpec = object<StatefulSetSpec>(
  { template: required(template), serviceName: string(dnsSubdomain) },
  {
    ignored: ignored(
      once,
      ...controllerFields,
      "updateStrategy",
      "podManagementPolicy",
      "ordinals",
      "persistentVolumeClaimRetentionPolicy",
    ),
    refused: { volumeClaimTemplates: "claims are bound by a cluster; use hostPath or emptyDir" },
  },
  restartsAlways,
);

export const statefulSet: Schema<Workload<StatefulSetSpec>> = object<Workload<StatefulSetSpec>>(
  { ...header("apps/v1", "StatefulSet"), spec: required(statefulSetSpec) },
  status,
);

const jobFields = {
  ignored: ignored(
    once,
    "activeDeadlineSeconds",
    "backoffLimit",
    "backoffLimitPerIndex",
    "completionMode",
    "completions",
    "managedBy",
    "manualSelector",
    "maxFailedIndexes",
    "parallelism",
    "podFailurePolicy",
    "podReplacementPolicy",
    "selector",
    "successPolicy",
    "suspend",
    "ttlSecondsAfterFinished",
  ),
};

const jobSpec = object<WithTemplate>({ template: required(template) }, jobFields, ends);

export const job: Schema<Workload<WithTemplate>> = object<Workload<WithTemplate>>(
  { ...header("batch/v1", "Job"), spec: required(jobSpec) },
  status,
);

const schedule = ignored(
  "the pod is run once, now",
  "schedule",
  "timeZone",
  "concurrencyPolicy",
  "suspend",
  "startingDeadlineSeconds",
  "successfulJobsHistoryLimit",
  "failedJobsHistoryLimit",
);

const cronJobSpec = object<CronJobSpec>(
  {
    jobTemplate: required(
      object<CronJobSpec["jobTemplate"]>(
        { spec: required(jobSpec) },
        { ignored: { metadata: "the pod has the labels of its own template" } },
      ),
    ),
  },
  { ignored: schedule },
);

export const cronJob: Schema<Workload<CronJobSpec>> = object<Workload<CronJobSpec>>(
  { ...header("batch/v1", "CronJob"), spec: required(cronJobSpec) },
  status,
);
