import type { environmentOf as Environment } from "./environment.js";
import type { hostsFileOf as HostsFile } from "./hosts-file.js";
import type { mountsOf as Mounts } from "./mounts.js";
import type { volumesOf as Volumes } from "./volumes.js";

// Replaced by the modules of the same names as they land.
export const environmentOf: typeof Environment = () => ({ names: [], expand: (text) => text, toKeyValues: () => [] });
export const mountsOf: typeof Mounts = () => ({ mounts: [], subPaths: [] });
export const volumesOf: typeof Volumes = () => [];
export const hostsFileOf: typeof HostsFile = () => undefined;
