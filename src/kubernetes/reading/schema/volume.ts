import type {
  ConfigMapVolumeManifest,
  DownwardApiItemManifest,
  DownwardApiVolumeManifest,
  EmptyDirManifest,
  HostPathManifest,
  HostPathTypeName,
  ImageVolumeManifest,
  KeyToPathManifest,
  ProjectedVolumeManifest,
  ProjectionManifest,
  SecretVolumeManifest,
  ServiceAccountTokenManifest,
  VolumeManifest,
} from "../../manifest/volume.js";
import { dataKey, dnsLabel, dnsSubdomain, filePath, imageName, withoutParents } from "../rules/names.js";
import { atMostOneSource, distinctPaths, mediumName } from "../rules/volumes.js";
import { list } from "./collections.js";
import { exactlyOne, object, required } from "./object.js";
import { fileField, resourceReference } from "./references.js";
import { boolean, fileMode, integer, oneOf, quantity, string } from "./scalars.js";
import type { Schema } from "./schema.js";

export const pullPolicy = oneOf<"Always" | "IfNotPresent" | "Never">({ Always: true, IfNotPresent: true, Never: true });

const items = list(
  object<KeyToPathManifest>({ key: required(string(dataKey)), path: required(string(filePath)), mode: fileMode }),
);

const downwardItems = list(
  object<DownwardApiItemManifest>(
    {
      path: required(string(filePath)),
      fieldRef: fileField,
      resourceFieldRef: resourceReference,
      mode: fileMode,
    },
    {},
    exactlyOne("fieldRef", "resourceFieldRef"),
    ({ resourceFieldRef }, at) => {
      if (resourceFieldRef && !Object.hasOwn(resourceFieldRef, "containerName")) {
        at.at("resourceFieldRef", "containerName").fault("is required in a volume");
      }
    },
  ),
);

const token = object<ServiceAccountTokenManifest>({
  path: required(string(filePath)),
  audience: string(),
  expirationSeconds: integer(600, 2 ** 32),
});

const keyProjection = object<NonNullable<ProjectionManifest["configMap"]>>({
  name: required(string(dnsSubdomain)),
  optional: boolean,
  items,
});

const projection = object<ProjectionManifest>(
  {
    configMap: keyProjection,
    secret: keyProjection,
    downwardAPI: object<NonNullable<ProjectionManifest["downwardAPI"]>>({ items: downwardItems }),
    serviceAccountToken: token,
  },
  {
    refused: {
      clusterTrustBundle: "it needs an API server; use a configMap",
      podCertificate: "it needs a signer; use a secret",
    },
  },
  exactlyOne("configMap", "secret", "downwardAPI", "serviceAccountToken"),
);

const hostPathTypes: Readonly<Record<HostPathTypeName, true>> = {
  "": true,
  DirectoryOrCreate: true,
  Directory: true,
  FileOrCreate: true,
  File: true,
  Socket: true,
  CharDevice: true,
  BlockDevice: true,
};

const sources = {
  emptyDir: object<EmptyDirManifest>(
    { medium: string(mediumName), sizeLimit: quantity },
    { refused: { mode: "it is an alpha feature of Kubernetes; set the permissions in an init container" } },
  ),
  hostPath: object<HostPathManifest>({ path: required(string(withoutParents)), type: oneOf(hostPathTypes) }),
  configMap: object<ConfigMapVolumeManifest>({
    name: required(string(dnsSubdomain)),
    optional: boolean,
    items,
    defaultMode: fileMode,
  }),
  secret: object<SecretVolumeManifest>({
    secretName: required(string(dnsSubdomain)),
    optional: boolean,
    items,
    defaultMode: fileMode,
  }),
  downwardAPI: object<DownwardApiVolumeManifest>({ items: downwardItems, defaultMode: fileMode }),
  projected: object<ProjectedVolumeManifest>({ sources: list(projection), defaultMode: fileMode }, {}, distinctPaths),
  image: object<ImageVolumeManifest>({ reference: required(string(imageName)), pullPolicy }),
};

const storage = "there are no storage drivers here; mount it on the node and use hostPath";
const removed = "Kubernetes has removed it";

export const volume: Schema<VolumeManifest> = object<VolumeManifest>(
  { name: required(string(dnsLabel)), ...sources },
  {
    refused: {
      persistentVolumeClaim: "claims are bound by a cluster; use hostPath or emptyDir",
      ephemeral: "claims are bound by a cluster; use emptyDir",
      csi: storage,
      nfs: storage,
      iscsi: storage,
      fc: storage,
      rbd: storage,
      cephfs: storage,
      cinder: storage,
      glusterfs: removed,
      awsElasticBlockStore: storage,
      azureDisk: storage,
      azureFile: storage,
      gcePersistentDisk: storage,
      vsphereVolume: storage,
      portworxVolume: storage,
      flexVolume: storage,
      photonPersistentDisk: removed,
      quobyte: removed,
      scaleIO: removed,
      storageos: removed,
      flocker: removed,
      gitRepo: "Kubernetes has disabled it; clone the repository in an init container",
    },
  },
  atMostOneSource,
);
