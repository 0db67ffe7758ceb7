import { existsSync, readFileSync } from "node:fs";
import { type Mount, MountPropagation } from "../../proto.js";
import type { FlavorProfile } from "../flavors/profile.js";

/** Returns why containerd rejects a mount, or undefined. Image mounts exist since containerd 2. */
export function mountRefusal(mount: Mount, id: string, { name }: FlavorProfile): string | undefined {
  const isContainerd2 = name === "containerd-2";
  const { image, hostPath, readonly, recursiveReadOnly } = mount;
  if (image && isContainerd2) {
    const refuse = (why: string) => `failed to mount image volume: ${why} while mount image: ${formatLikeGo(mount)}`;
    if (hostPath !== "") return refuse("hostpath must be empty");
    return readonly ? undefined : refuse("readonly must be true");
  }
  const refuse = (why: string) => `failed to generate container "${id}" spec: failed to generate spec: ${why}`;
  if (hostPath === "") return refuse('failed to mkdir "": mkdir : no such file or directory');
  if (recursiveReadOnly && !readonly && isContainerd2) {
    return refuse(`recursive read-only mount conflicts with RW mount (hostPath="${hostPath}")`);
  }
  const why = notPropagated(mount);
  return why && refuse(why);
}

/** Returns why mounts below a path of this machine cannot be propagated, if Linux reports it. */
function notPropagated({ hostPath, propagation }: Mount): string | undefined {
  if (propagation === MountPropagation.PROPAGATION_PRIVATE || !existsSync(hostPath)) return undefined;
  const mount = mountOf(hostPath);
  if (!mount) return undefined;
  const isSlave = propagation === MountPropagation.PROPAGATION_HOST_TO_CONTAINER;
  if (mount.shared || (isSlave && mount.slave)) return undefined;
  const wanted = isSlave ? "a shared or slave mount" : "a shared mount";
  return `path "${hostPath}" is mounted on "${mount.path}" but it is not ${wanted}`;
}

/** Returns the mount of this machine that contains a path. */
function mountOf(path: string): { path: string; shared: boolean; slave: boolean } | undefined {
  if (!existsSync("/proc/self/mountinfo")) return undefined;
  const mounts = readFileSync("/proc/self/mountinfo", "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => {
      const [, , , , at = "", , ...rest] = line.split(" ");
      const tags = rest.slice(0, rest.indexOf("-"));
      return {
        path: at,
        shared: tags.some((tag) => tag.startsWith("shared:")),
        slave: tags.some((tag) => tag.startsWith("master:")),
      };
    })
    .filter((mount) => path === mount.path || path.startsWith(mount.path === "/" ? "/" : `${mount.path}/`));
  // The last mount on a path hides the others.
  return mounts.reduce(
    (longest, mount) => (mount.path.length >= (longest?.path.length ?? 0) ? mount : longest),
    mounts[0],
  );
}

/** Formats a mount like Go. */
function formatLikeGo({ containerPath, hostPath, readonly, selinuxRelabel, propagation }: Mount): string {
  const fields = {
    ContainerPath: containerPath,
    HostPath: hostPath,
    Readonly: readonly,
    SelinuxRelabel: selinuxRelabel,
    Propagation: MountPropagation[propagation],
    UidMappings: "[]*IDMapping{}",
    GidMappings: "[]*IDMapping{}",
  };
  return `&Mount{${Object.entries(fields)
    .map(([key, value]) => `${key}:${value},`)
    .join("")}}`;
}
