/** Where the CPU time of a program goes. @module */
import { Session } from "node:inspector/promises";

/** Whose code a function is, by its URL or its name. The first pattern that matches counts. */
const owners: readonly (readonly [RegExp, string])[] = [
  [/^\(idle\)/, "idle"],
  [/^\(garbage collector\)/, "garbage collection"],
  [/\/node_modules\/@grpc\/grpc-js\//, "grpc-js"],
  [/\/node_modules\/(nice-grpc|nice-grpc-common|abort-controller-x)\//, "nice-grpc"],
  [/\/dist\/src\//, "this package"],
  [/\/node_modules\/|\/dist\/generated\/|\/\.cache\/bench\//, "messages and the benchmark"],
];

/** Returns a line for each owner of code, with its part of the CPU time in per cent, the largest first. */
export async function profile(work: () => Promise<unknown>): Promise<string[]> {
  const session = new Session();
  session.connect();
  try {
    await session.post("Profiler.enable");
    await session.post("Profiler.start");
    await work();
    const { profile } = await session.post("Profiler.stop");
    const ownerOf = new Map(
      profile.nodes.map(({ id, callFrame: { url, functionName } }) => {
        const owner = owners.find(([pattern]) => pattern.test(url || functionName));
        return [id, owner?.[1] ?? "Node.js"];
      }),
    );
    const times = new Map<string, number>();
    for (const [index, id] of (profile.samples ?? []).entries()) {
      const owner = ownerOf.get(id) ?? "Node.js";
      times.set(owner, (times.get(owner) ?? 0) + (profile.timeDeltas?.[index] ?? 0));
    }
    times.delete("idle");
    const total = [...times.values()].reduce((sum, time) => sum + time, 0);
    const sorted = [...times].sort(([, a], [, b]) => b - a);
    return sorted.map(([owner, time]) => `${owner} ${((100 * time) / total).toFixed(0)} %`);
  } finally {
    session.disconnect();
  }
}
