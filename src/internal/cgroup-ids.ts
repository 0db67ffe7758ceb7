/**
 * Matches the id at the end of a control group's name. Runtimes use these forms: `<id>`, `cri-containerd-<id>.scope`,
 * `….slice:crio:<id>`.
 */
const idInName = /^(?:.*[-:])?([0-9a-f]{64})(?:\.scope)?$/;

/**
 * Finds the ids of containers and pods in `/proc/<pid>/cgroup`, of cgroup v1 or v2. In each hierarchy, the outermost id comes
 * first, because a container may be able to create control groups with any name below its own.
 *
 * The ids are only candidates. They may belong to another runtime.
 */
export function cgroupIds(text: string): string[] {
  const ids = text.split("\n").flatMap((line) => {
    // hierarchy:controllers:path. The path may contain colons.
    const path = /^\d+:[^:]*:(\/.*)$/.exec(line)?.[1] ?? "";
    return path.split("/").flatMap((name) => {
      // The control group of conmon, which monitors a container, is not the container's own.
      const id = name.includes("conmon") ? undefined : idInName.exec(name)?.[1];
      return id ?? [];
    });
  });
  return [...new Set(ids)];
}
