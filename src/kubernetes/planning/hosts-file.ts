import type { PodContext } from "./pod-context.js";
import type { HostsFilePlan } from "./pod-plan-types.js";

/** Plans the hosts file of a pod; undefined while the pod has no address. */
export declare function hostsFileOf(context: PodContext, podIPs: readonly string[]): HostsFilePlan | undefined;
