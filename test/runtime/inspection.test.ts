/** The fields that `inspect()` reads from the runtime's verbose info. */
import { inspect } from "node:util";
import { expect, test } from "vitest";
import { folder } from "./helpers/folder.js";
import { pidsOf } from "./helpers/host-process.js";
import { journeys, uniqueSeconds } from "./helpers/journeys.js";

journeys("inspection", (fixture) => {
  const { cri, traits } = fixture;

  test("container.inspect returns the process id, command line, environment and mounts", async ({ expect }) => {
    const seconds = uniqueSeconds();
    await using at = await folder();
    await using container = await fixture.container(await fixture.sharedPod(), {
      ...at.inside,
      command: ["/bin/sleep", seconds],
      env: { TOKEN: "s3cret-canary" },
    });
    const { status, pid, args, env, mounts, config, runtimeSpec, details } = await container.inspect();
    expect(status.id).toBe(container.id);
    // runc may not have executed the command yet when the runtime reports it as started.
    await expect.poll(() => pidsOf(seconds)).toContain(pid);
    expect(details?.pid).toBe(pid);
    expect(config?.command).toEqual(traits.reportsConfig ? container.config.command : undefined);
    if (!traits.reportsRuntimeSpec) return;
    expect(args).toEqual(["/bin/sleep", seconds]);
    expect(env).toMatchObject({ TOKEN: "s3cret-canary" });
    expect(mounts?.map(({ destination, source }) => [destination, source])).toContainEqual([
      status.mounts[0]?.containerPath,
      status.mounts[0]?.hostPath,
    ]);
    expect(runtimeSpec?.process).toMatchObject({ args });
  });

  test("an inspection shows no values of environment variables when it is printed or serialized", async () => {
    await using container = await fixture.container(await fixture.sharedPod(), { env: { TOKEN: "s3cret-canary" } });
    const inspection = await container.inspect();
    const shown = JSON.stringify(inspection) + inspect(inspection, { depth: 9, showHidden: true });
    expect(shown).toContain(container.id);
    expect(shown).not.toContain("s3cret-canary");
  });

  test("container.inspect returns no process id of an exited container", async () => {
    await using container = await fixture.container(await fixture.sharedPod());
    await container.stop();
    expect((await container.inspect()).pid).toBeUndefined();
  });

  test("pod.inspect returns the configuration, process id and network namespace", async () => {
    await using pod = await fixture.pod({ hostname: "inspected" });
    const { pid, config, networkNamespace } = await cri.pods.get(pod.id).inspect();
    expect(pid !== undefined).toBe(traits.infoHasPid.pod);
    expect(config?.hostname).toBe(traits.reportsConfig ? "inspected" : undefined);
    if (fixture.runtime.flavor === undefined && traits.reportsRuntimeSpec) expect(networkNamespace).toMatch(/netns/);
    await pod.stop();
    expect((await pod.inspect()).pid).toBeUndefined();
    expect((await (await fixture.sharedPod()).inspect()).networkNamespace).toBeUndefined();
  });
});
