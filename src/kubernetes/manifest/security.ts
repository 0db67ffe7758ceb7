/** Which system calls a container may use. */
export interface SeccompProfileManifest {
  type: "RuntimeDefault" | "Unconfined" | "Localhost";
  /** The file of the profile, below the node's seccomp directory. Only with `type: Localhost`. */
  localhostProfile?: string | undefined;
}

/** The AppArmor profile of a container. Since Kubernetes 1.30; older ones use an annotation. */
export interface AppArmorProfileManifest {
  type: "RuntimeDefault" | "Unconfined" | "Localhost";
  /** The name of a loaded profile. Only with `type: Localhost`. */
  localhostProfile?: string | undefined;
}

/** The SELinux label of a container. */
export interface SelinuxManifest {
  user?: string | undefined;
  role?: string | undefined;
  type?: string | undefined;
  level?: string | undefined;
}

/** The `securityContext` of a container. Its fields take precedence over the pod's. */
export interface ContainerSecurityContextManifest {
  runAsUser?: number | undefined;
  runAsGroup?: number | undefined;
  runAsNonRoot?: boolean | undefined;
  privileged?: boolean | undefined;
  allowPrivilegeEscalation?: boolean | undefined;
  readOnlyRootFilesystem?: boolean | undefined;
  capabilities?: { add?: readonly string[] | undefined; drop?: readonly string[] | undefined } | undefined;
  /** @defaultValue "Default" */
  procMount?: "Default" | "Unmasked" | undefined;
  seccompProfile?: SeccompProfileManifest | undefined;
  appArmorProfile?: AppArmorProfileManifest | undefined;
  seLinuxOptions?: SelinuxManifest | undefined;
}
