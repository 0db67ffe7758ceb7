import type { ProtocolName, ResourceList } from "./container.js";
import type { ManifestMetadata } from "./metadata.js";
import type { LocalReferenceManifest } from "./pod.js";

/** A ConfigMap (`v1`), whose keys become variables and files. */
export interface ConfigMapManifest {
  apiVersion: "v1";
  kind: "ConfigMap";
  metadata: ManifestMetadata;
  data?: Readonly<Record<string, string>> | undefined;
  /** Values in base64. */
  binaryData?: Readonly<Record<string, string>> | undefined;
  immutable?: boolean | undefined;
}

/** A Secret (`v1`): variables, files, or credentials for images. Its values never appear in errors or printed plans. */
export interface SecretManifest {
  apiVersion: "v1";
  kind: "Secret";
  metadata: ManifestMetadata;
  type?: string | undefined;
  /** Values in base64. */
  data?: Readonly<Record<string, string>> | undefined;
  /** Values as text; take precedence over `data`. */
  stringData?: Readonly<Record<string, string>> | undefined;
  immutable?: boolean | undefined;
}

/** A ServiceAccount (`v1`), for its pull secrets. */
export interface ServiceAccountManifest {
  apiVersion: "v1";
  kind: "ServiceAccount";
  metadata: ManifestMetadata;
  imagePullSecrets?: readonly LocalReferenceManifest[] | undefined;
  automountServiceAccountToken?: boolean | undefined;
}

/** A RuntimeClass (`node.k8s.io/v1`): a runtime handler and what its pods need beyond their containers. */
export interface RuntimeClassManifest {
  apiVersion: "node.k8s.io/v1";
  kind: "RuntimeClass";
  metadata: ManifestMetadata;
  /** The runtime handler. */
  handler: string;
  overhead?: { podFixed?: ResourceList | undefined } | undefined;
}

/** A Service, for the environment variables of service links. */
export interface ServiceManifest {
  apiVersion: "v1";
  kind: "Service";
  metadata: ManifestMetadata;
  spec: {
    clusterIP?: string | undefined;
    ports?: readonly ServicePortManifest[] | undefined;
  };
}

/** A port of a Service. */
export interface ServicePortManifest {
  name?: string | undefined;
  port: number;
  /** @defaultValue "TCP" */
  protocol?: ProtocolName | undefined;
}

/** The objects that pods refer to. */
export interface KubernetesObjects {
  configMaps?: readonly ConfigMapManifest[] | undefined;
  secrets?: readonly SecretManifest[] | undefined;
  serviceAccounts?: readonly ServiceAccountManifest[] | undefined;
  runtimeClasses?: readonly RuntimeClassManifest[] | undefined;
  /** In the order in which their variables are set. */
  services?: readonly ServiceManifest[] | undefined;
}
