import type {
  ConfigMapManifest,
  RuntimeClassManifest,
  SecretManifest,
  ServiceAccountManifest,
  ServiceManifest,
  ServicePortManifest,
} from "../../manifest/objects.js";
import { configMapData, keysOfType, pullSecretDocument, secretData } from "../rules/data.js";
import { clusterAddress, dataKey, dnsLabel, dnsSubdomain, serviceName } from "../rules/names.js";
import { containerResource } from "../rules/resources.js";
import { list, stringMap } from "./collections.js";
import { protocol } from "./container.js";
import { metadata } from "./metadata.js";
import { object, required } from "./object.js";
import { localReference } from "./references.js";
import { resourceList } from "./resources.js";
import { boolean, type Check, integer, oneOf, secretString, string } from "./scalars.js";
import type { Schema } from "./schema.js";

const core = required(oneOf<"v1">({ v1: true }));
const commonMetadata = required(metadata(dnsSubdomain));

const base64: Check = (text) => {
  const characters = text.replace(/[\r\n]/g, "");
  return /^[A-Za-z0-9+/]*={0,2}$/.test(characters) && characters.length % 4 === 0 ? undefined : "must be base64";
};

const strings = stringMap(secretString(), dataKey);
const bytes = stringMap(secretString(base64), dataKey);

export const configMap: Schema<ConfigMapManifest> = object<ConfigMapManifest>(
  {
    apiVersion: core,
    kind: required(oneOf<"ConfigMap">({ ConfigMap: true })),
    metadata: commonMetadata,
    data: strings,
    binaryData: bytes,
    immutable: boolean,
  },
  {},
  configMapData,
);

export const secret: Schema<SecretManifest> = object<SecretManifest>(
  {
    apiVersion: core,
    kind: required(oneOf<"Secret">({ Secret: true })),
    metadata: commonMetadata,
    type: string(),
    data: bytes,
    stringData: strings,
    immutable: boolean,
  },
  {},
  secretData,
  keysOfType,
  pullSecretDocument,
);

export const serviceAccount: Schema<ServiceAccountManifest> = object<ServiceAccountManifest>(
  {
    apiVersion: core,
    kind: required(oneOf<"ServiceAccount">({ ServiceAccount: true })),
    metadata: commonMetadata,
    imagePullSecrets: list(localReference),
    automountServiceAccountToken: boolean,
  },
  { ignored: { secrets: "tokens are given to the plan" } },
);

export const runtimeClass: Schema<RuntimeClassManifest> = object<RuntimeClassManifest>(
  {
    apiVersion: required(oneOf<"node.k8s.io/v1">({ "node.k8s.io/v1": true })),
    kind: required(oneOf<"RuntimeClass">({ RuntimeClass: true })),
    metadata: commonMetadata,
    handler: required(string(dnsLabel)),
    overhead: object<NonNullable<RuntimeClassManifest["overhead"]>>({ podFixed: resourceList(containerResource) }),
  },
  { ignored: { scheduling: "chooses a node; there is only one" } },
);

const servicePort = object<ServicePortManifest>(
  { name: string(dnsLabel), port: required(integer(1, 65_535)), protocol },
  {
    ignored: Object.fromEntries(
      ["targetPort", "nodePort", "appProtocol"].map((field) => [field, "only variables are made of a Service"]),
    ),
  },
);

const serviceFields = [
  "allocateLoadBalancerNodePorts",
  "clusterIPs",
  "externalIPs",
  "externalName",
  "externalTrafficPolicy",
  "healthCheckNodePort",
  "internalTrafficPolicy",
  "ipFamilies",
  "ipFamilyPolicy",
  "loadBalancerClass",
  "loadBalancerIP",
  "loadBalancerSourceRanges",
  "publishNotReadyAddresses",
  "selector",
  "sessionAffinity",
  "sessionAffinityConfig",
  "trafficDistribution",
  "type",
];

export const service: Schema<ServiceManifest> = object<ServiceManifest>(
  {
    apiVersion: core,
    kind: required(oneOf<"Service">({ Service: true })),
    metadata: required(metadata(serviceName)),
    spec: required(
      object<ServiceManifest["spec"]>(
        { clusterIP: string(clusterAddress), ports: list(servicePort, { uniqueBy: "name" }) },
        { ignored: Object.fromEntries(serviceFields.map((field) => [field, "only variables are made of a Service"])) },
      ),
    ),
  },
  { ignored: { status: "reported by a cluster" } },
);
