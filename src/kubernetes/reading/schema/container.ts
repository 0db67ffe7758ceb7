import type {
  ContainerManifest,
  ContainerPortManifest,
  EnvFromManifest,
  EnvSourceManifest,
  EnvVarManifest,
  ProtocolName,
  RestartRuleManifest,
  VolumeMountManifest,
} from "../../manifest/container.js";
import { mountOptions } from "../rules/mounts.js";
import {
  dnsLabel,
  imageName,
  ipAddress,
  portName,
  relativePath,
  variableName,
  withoutParents,
} from "../rules/names.js";
import { list } from "./collections.js";
import { exactlyOne, object, required } from "./object.js";
import { lifecycle, probe } from "./probe.js";
import { keyReference, optionalReference, resourceReference, variableField } from "./references.js";
import { containerResources } from "./resources.js";
import { boolean, integer, oneOf, secretString, string } from "./scalars.js";
import type { Schema } from "./schema.js";
import { containerSecurityContext } from "./security.js";
import { pullPolicy } from "./volume.js";

export const restartPolicy = oneOf<"Always" | "OnFailure" | "Never">({ Always: true, OnFailure: true, Never: true });

export const protocol: Schema<ProtocolName> = oneOf<ProtocolName>({ TCP: true, UDP: true, SCTP: true });

const port = object<ContainerPortManifest>({
  name: string(portName),
  containerPort: required(integer(1, 65_535)),
  hostPort: integer(0, 65_535),
  hostIP: string(ipAddress),
  protocol,
});

const variable = object<EnvVarManifest>(
  {
    // People write NAME=value here, so a fault does not show it.
    name: required(secretString(variableName)),
    value: secretString(),
    valueFrom: object<EnvSourceManifest>(
      {
        fieldRef: variableField,
        resourceFieldRef: resourceReference,
        configMapKeyRef: keyReference,
        secretKeyRef: keyReference,
      },
      { refused: { fileKeyRef: "it is a beta feature; source the file in the command" } },
      exactlyOne("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef"),
    ),
  },
  {},
  (value, at) => {
    if (Object.hasOwn(value, "value") && Object.hasOwn(value, "valueFrom"))
      at.fault("must have only one of value, valueFrom");
  },
);

const variables = object<EnvFromManifest>(
  { prefix: secretString(variableName), configMapRef: optionalReference, secretRef: optionalReference },
  {},
  exactlyOne("configMapRef", "secretRef"),
);

const mount = object<VolumeMountManifest>(
  {
    name: required(string()),
    mountPath: required(string()),
    readOnly: boolean,
    recursiveReadOnly: oneOf<"Disabled" | "IfPossible" | "Enabled">({
      Disabled: true,
      IfPossible: true,
      Enabled: true,
    }),
    subPath: string(relativePath),
    subPathExpr: string(relativePath),
    mountPropagation: oneOf<"None" | "HostToContainer" | "Bidirectional">({
      None: true,
      HostToContainer: true,
      Bidirectional: true,
    }),
  },
  { refused: { bindMountOptions: "it is an alpha feature of Kubernetes" } },
  mountOptions,
);

const restartRule = object<RestartRuleManifest>({
  action: required(oneOf<RestartRuleManifest["action"]>({ Restart: true, RestartAllContainers: true })),
  exitCodes: required(
    object<RestartRuleManifest["exitCodes"]>({
      operator: required(oneOf<"In" | "NotIn">({ In: true, NotIn: true })),
      values: required(list(integer(0, 255), { min: 1, max: 255 })),
    }),
  ),
});

/** A container. The rules of its pod follow: `containersInPod`. */
export const container: Schema<ContainerManifest> = object<ContainerManifest>(
  {
    name: required(string(dnsLabel)),
    image: required(string(imageName)),
    imagePullPolicy: pullPolicy,
    command: list(string()),
    args: list(string()),
    workingDir: string(),
    ports: list(port, { uniqueBy: "name" }),
    env: list(variable),
    envFrom: list(variables),
    resources: containerResources,
    volumeMounts: list(mount, { uniqueBy: "mountPath" }),
    securityContext: containerSecurityContext,
    startupProbe: probe,
    livenessProbe: probe,
    readinessProbe: probe,
    lifecycle,
    restartPolicy,
    restartPolicyRules: list(restartRule, { max: 20 }),
    terminationMessagePath: string(withoutParents),
    terminationMessagePolicy: oneOf<"File" | "FallbackToLogsOnError">({ File: true, FallbackToLogsOnError: true }),
    stdin: boolean,
    stdinOnce: boolean,
    tty: boolean,
  },
  {
    ignored: { resizePolicy: "resources are not changed while the pod runs" },
    refused: { volumeDevices: "block volumes are bound by a cluster; mount a hostPath of type BlockDevice" },
  },
);
