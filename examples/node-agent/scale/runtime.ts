import { join } from "node:path";
import { FakeRuntime } from "k8s-cri-client/testing";

/** The names of the containers of the tasks. A fake runs a container by its name. */
export const containers = { job: "job", service: "service" } as const;

/** Jobs fail on each node whose number ends with this digit. */
const failing = /7$/;
const jobMs = { shortest: 2_000, longest: 6_000 };

/** Starts the runtime of a node. Its services run until they are stopped. Its jobs end after some seconds, and fail on some nodes. */
export async function startRuntime(node: string): Promise<FakeRuntime> {
  return await FakeRuntime.start({
    run: ({ config }) => {
      if (config.metadata?.name !== containers.job) return { onSignal: () => 0 };
      const afterMs = jobMs.shortest + Math.random() * (jobMs.longest - jobMs.shortest);
      return { exitCode: failing.test(node) ? 1 : 0, afterMs, stdout: `the job of ${node}\n` };
    },
  });
}

/** Settings of a node whose runtime is fake. Nothing is written to the machine outside of the folder. */
export function nodeOverrides(folder: string) {
  return { podLogsDirectory: join(folder, "logs"), cgroupRoot: "/node-agent-scale", cgroupsPerQos: false };
}
