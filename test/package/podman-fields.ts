/**
 * The fields that the documentation of Podman lists for `podman kube play`: docs/kubernetes_support.md in its repository, and the
 * volume types of its manual page; read in November 2026.
 *
 * @module
 */

/** Fields of a Pod's `spec` and of its containers. */
interface PodmanFields {
  readonly supported: string;
  readonly unsupported: string;
}

const pod: PodmanFields = {
  supported: `containers initContainers volumes restartPolicy terminationGracePeriodSeconds hostname hostAliases.hostnames
    hostAliases.ip dnsConfig.nameservers dnsConfig.options.name dnsConfig.options.value dnsConfig.searches hostNetwork hostPID hostIPC
    shareProcessNamespace securityContext.runAsUser securityContext.runAsGroup securityContext.supplementalGroups
    securityContext.seLinuxOptions.level securityContext.seLinuxOptions.role securityContext.seLinuxOptions.type
    securityContext.seLinuxOptions.user securityContext.sysctls.name securityContext.sysctls.value
    volumes.hostPath volumes.emptyDir volumes.configMap volumes.image`,
  unsupported: `imagePullSecrets enableServiceLinks os.name runtimeClassName priorityClassName priority activeDeadlineSeconds
    setHostnameAsFQDN subdomain dnsPolicy serviceAccountName automountServiceAccountToken securityContext.runAsNonRoot
    securityContext.fsGroup securityContext.fsGroupChangePolicy securityContext.seccompProfile.type
    securityContext.seccompProfile.localhostProfile volumes.secret volumes.downwardAPI volumes.projected readinessGates.conditionType
    securityContext.windowsOptions.gmsaCredentialSpec securityContext.windowsOptions.hostProcess
    securityContext.windowsOptions.runAsUserName`,
};

const container: PodmanFields = {
  supported: `name image imagePullPolicy command args workingDir ports.containerPort ports.hostIP ports.hostPort ports.name
    ports.protocol env.name env.value env.valueFrom.configMapKeyRef.key env.valueFrom.configMapKeyRef.name
    env.valueFrom.configMapKeyRef.optional env.valueFrom.fieldRef env.valueFrom.resourceFieldRef env.valueFrom.secretKeyRef.key
    env.valueFrom.secretKeyRef.name env.valueFrom.secretKeyRef.optional envFrom.configMapRef.name envFrom.configMapRef.optional
    envFrom.secretRef.name envFrom.secretRef.optional volumeMounts.mountPath volumeMounts.name volumeMounts.readOnly
    volumeMounts.subPath resources.limits resources.requests lifecycle.stopSignal livenessProbe securityContext.runAsUser
    securityContext.runAsGroup securityContext.readOnlyRootFilesystem securityContext.procMount securityContext.privileged
    securityContext.allowPrivilegeEscalation securityContext.capabilities.add securityContext.capabilities.drop
    securityContext.seLinuxOptions.level securityContext.seLinuxOptions.role securityContext.seLinuxOptions.type
    securityContext.seLinuxOptions.user`,
  unsupported: `envFrom.prefix volumeMounts.mountPropagation volumeMounts.subPathExpr lifecycle.postStart lifecycle.preStop
    terminationMessagePath terminationMessagePolicy readinessProbe startupProbe securityContext.runAsNonRoot
    securityContext.seccompProfile.type securityContext.seccompProfile.localhostProfile stdin stdinOnce tty volumeDevices.devicePath
    volumeDevices.name securityContext.windowsOptions.gmsaCredentialSpec securityContext.windowsOptions.hostProcess
    securityContext.windowsOptions.runAsUserName`,
};

const words = (text: string) => text.split(/\s+/);

/** The fields that Podman supports, as paths in a Pod. */
export const supportedByPodman: readonly string[] = paths("supported");

/** The fields that Podman names and does not support, as paths in a Pod. */
export const unsupportedByPodman: readonly string[] = paths("unsupported");

function paths(kind: keyof PodmanFields): string[] {
  return [
    ...words(pod[kind]).map((field) => `spec.${field}`),
    ...words(container[kind]).map((field) => `spec.containers.${field}`),
  ];
}
