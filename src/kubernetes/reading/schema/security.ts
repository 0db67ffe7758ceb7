import type { PodSecurityContextManifest } from "../../manifest/pod.js";
import type {
  AppArmorProfileManifest,
  ContainerSecurityContextManifest,
  SeccompProfileManifest,
  SelinuxManifest,
} from "../../manifest/security.js";
import { relativePath, sysctlName } from "../rules/names.js";
import { capabilityName, localhostProfile, privileges } from "../rules/security.js";
import { list } from "./collections.js";
import { object, required } from "./object.js";
import { boolean, integer, maxInt32, oneOf, string } from "./scalars.js";
import type { Schema } from "./schema.js";

const id = integer(0, maxInt32);

const profileType = oneOf<"RuntimeDefault" | "Unconfined" | "Localhost">({
  RuntimeDefault: true,
  Unconfined: true,
  Localhost: true,
});

const common = {
  runAsUser: id,
  runAsGroup: id,
  runAsNonRoot: boolean,
  seccompProfile: object<SeccompProfileManifest>(
    { type: required(profileType), localhostProfile: string(relativePath) },
    {},
    localhostProfile,
  ),
  appArmorProfile: object<AppArmorProfileManifest>(
    { type: required(profileType), localhostProfile: string() },
    {},
    localhostProfile,
  ),
  seLinuxOptions: object<SelinuxManifest>({ user: string(), role: string(), type: string(), level: string() }),
};

const windows = { windowsOptions: "applies to Windows nodes only" };
const capabilities = list(string(capabilityName));

export const containerSecurityContext: Schema<ContainerSecurityContextManifest> =
  object<ContainerSecurityContextManifest>(
    {
      ...common,
      privileged: boolean,
      allowPrivilegeEscalation: boolean,
      readOnlyRootFilesystem: boolean,
      capabilities: object<NonNullable<ContainerSecurityContextManifest["capabilities"]>>({
        add: capabilities,
        drop: capabilities,
      }),
      procMount: oneOf<"Default" | "Unmasked">({ Default: true, Unmasked: true }),
    },
    { ignored: windows },
    privileges,
  );

type Sysctl = NonNullable<PodSecurityContextManifest["sysctls"]>[number];

export const podSecurityContext: Schema<PodSecurityContextManifest> = object<PodSecurityContextManifest>(
  {
    ...common,
    fsGroup: id,
    fsGroupChangePolicy: oneOf<"Always" | "OnRootMismatch">({ Always: true, OnRootMismatch: true }),
    supplementalGroups: list(id),
    supplementalGroupsPolicy: oneOf<"Merge" | "Strict">({ Merge: true, Strict: true }),
    seLinuxChangePolicy: oneOf<"MountOption" | "Recursive">({ MountOption: true, Recursive: true }),
    sysctls: list(
      object<Sysctl>({ name: required(string(sysctlName)), value: required(string(), { mayBeEmpty: true }) }),
      { uniqueBy: "name" },
    ),
  },
  { ignored: windows },
);
