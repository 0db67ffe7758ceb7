/** Pods and containers from crictl's files, and what crictl prints about them. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { toRfc3339Nano } from "k8s-cri-client";
import {
  fromCrictlContainerConfig,
  fromCrictlImages,
  fromCrictlInspect,
  fromCrictlInspecti,
  fromCrictlInspectp,
  fromCrictlPodConfig,
  fromCrictlPods,
  fromCrictlPs,
  toCrictlContainerConfig,
  toCrictlPodConfig,
} from "k8s-cri-client/crictl";
import { type ContainerStatus, Long } from "k8s-cri-client/proto";
import { expect, test } from "vitest";
import { folder } from "./helpers/folder.js";
import { idle, journeys } from "./helpers/journeys.js";
import { run } from "./lab/command.js";

/** Converts times in nanoseconds to those of crictl, which has another time zone here. */
function crictlTime(nanoseconds: Long, isSet = true): string {
  if (!isSet) return "0001-01-01T00:00:00Z";
  const shifted = toRfc3339Nano(nanoseconds.add(Long.fromNumber(5.5 * 3600).multiply(1_000_000_000)));
  return `${shifted?.slice(0, -1)}+05:30`;
}

/** Prints a status and its verbose info as crictl does: all fields, times in RFC 3339, JSON of the info as objects. */
function printed(status: object, times: Record<string, string>, info: Readonly<Record<string, string>>): object {
  const entries = Object.entries(info).map(([key, text]) => [key, text.startsWith("{") ? JSON.parse(text) : text]);
  return { status: { ...JSON.parse(JSON.stringify(status)), ...times }, ...Object.fromEntries(entries) };
}

function timesOf({ createdAt, startedAt, finishedAt }: ContainerStatus): Record<string, string> {
  return {
    createdAt: crictlTime(createdAt),
    startedAt: crictlTime(startedAt, !startedAt.isZero()),
    finishedAt: crictlTime(finishedAt, !finishedAt.isZero()),
  };
}

const podFile = (namespace: string, logs: string) => `
metadata:
  name: from-crictl
  namespace: ${namespace}
  attempt: 1
log_directory: ${logs}
labels: { app: demo }
linux:
  security_context: { namespace_options: { network: 2 } }
`;

const containerFile = (image: string, path: string) =>
  JSON.stringify({
    metadata: { name: "main" },
    image: { image },
    command: ["/bin/sh", "-c", 'echo "$PORT $GREETING" > written; exec sleep 1000'],
    working_dir: path,
    envs: [
      { key: "PORT", value: "8080" },
      { key: "GREETING", value: "grüß dich" },
    ],
    mounts: [{ host_path: path, container_path: path }],
    log_path: "main.log",
    linux: { security_context: { namespace_options: { network: 2, pid: 1 } } },
  });

journeys("crictl", (fixture) => {
  const { cri, image } = fixture;

  test("runs a pod and a container from crictl's files", async ({ expect }) => {
    await using at = await folder();
    await using pod = await cri.pods.run(fromCrictlPodConfig(podFile(fixture.namespace, at.path)));
    const status = await pod.status();
    expect(status).toMatchObject({
      labels: { app: "demo" },
      metadata: { name: "from-crictl", attempt: 1, uid: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    });
    const config = fromCrictlContainerConfig(containerFile(image, at.path));
    await using container = await cri.runContainerInSandbox(pod, config);
    await expect.poll(() => readFile(join(at.path, "written"), "utf8").catch(() => "")).toBe("8080 grüß dich\n");
    expect(await container.state()).toBe("running");
  });

  test("reads a container as crictl inspect prints it, in every state", async () => {
    await using pod = await fixture.hostNetworkPod();
    await using container = await pod.createContainer(fixture.containerSpec({ env: { PORT: "8080" } }));
    for (const step of [() => container.start(), () => container.stop(), undefined]) {
      const { status, info, ...expected } = await container.inspect();
      const [read] = fromCrictlInspect(JSON.stringify(printed(status, timesOf(status), info)));
      expect(read?.status).toEqual(status);
      expect({ ...read, info: undefined, status: undefined }).toEqual({
        ...expected,
        info: undefined,
        status: undefined,
      });
      expect(read?.args).toEqual((await container.inspect()).args);
      expect(read?.config).toEqual((await container.inspect()).config);
      await step?.();
    }
  });

  test("reads a pod as crictl inspectp prints it", async () => {
    const pod = await fixture.sharedPod();
    const inspection = await pod.inspect();
    const { status, info } = inspection;
    const [read] = fromCrictlInspectp(
      JSON.stringify([printed(status, { createdAt: crictlTime(status.createdAt) }, info)]),
    );
    expect(read?.status).toEqual(status);
    expect(read?.config).toEqual(inspection.config);
    expect(read?.pid).toBe(inspection.pid);
  });

  test("reads an image as crictl inspecti prints it", async () => {
    const { image: found, info } = (await cri.images.inspect(image))!;
    const [read] = fromCrictlInspecti(JSON.stringify(printed(found, {}, info)));
    expect(read?.image).toEqual(found);
    expect(Object.keys(read?.info ?? {})).toEqual(Object.keys(info));
  });

  const crictl = process.env.CRI_TEST_CRICTL;
  if (crictl !== undefined && fixture.runtime.flavor === undefined) {
    const call = (...words: string[]) => {
      const { endpoint, imageEndpoint = endpoint } = fixture.runtime;
      return run(crictl, ["--runtime-endpoint", endpoint, "--image-endpoint", imageEndpoint, "-t", "20s", ...words]);
    };

    test("crictl itself creates the same container from a file of this package", async () => {
      await using at = await folder();
      const podConfig = fromCrictlPodConfig(podFile(fixture.namespace, at.path));
      const config = fromCrictlContainerConfig(containerFile(image, at.path));
      const [podPath, containerPath] = [join(at.path, "pod.json"), join(at.path, "container.json")];
      await writeFile(podPath, toCrictlPodConfig(podConfig));
      await writeFile(containerPath, toCrictlContainerConfig(config));
      const podId = (await call("runp", podPath)).trim();
      try {
        expect((await cri.pods.get(podId).inspect()).config).toEqual(podConfig);
        const id = (await call("create", podId, containerPath, podPath)).trim();
        const { image: created, ...settings } = (await cri.containers.get(id).inspect()).config!;
        // containerd 1.6 does not keep the rest of the image.
        expect({ ...settings, image: { ...config.image, image: created?.image } }).toEqual(config);
      } finally {
        await cri.pods.remove(podId);
      }
    });

    test("what crictl itself prints is read as what the client returns", async () => {
      await using pod = await fixture.hostNetworkPod();
      await using container = await pod.runContainer(
        fixture.containerSpec({ command: [...idle], env: { PORT: "8080" } }),
      );
      await using other = await pod.createContainer(fixture.containerSpec());
      const byId = (a: { id: string }, b: { id: string }) => a.id.localeCompare(b.id);
      for (const format of ["json", "yaml"]) {
        const inspected = fromCrictlInspect(await call("inspect", "-o", format, container.id, other.id));
        for (const [index, { id }] of [container, other].entries()) {
          const expected = await cri.containers.get(id).inspect();
          expect(inspected[index]?.status).toEqual(expected.status);
          expect(inspected[index]?.config).toEqual(expected.config);
          expect(inspected[index]?.pid).toEqual(expected.pid);
          expect(inspected[index]?.env).toEqual(expected.env);
          expect(inspected[index]?.runtimeSpec).toEqual(expected.runtimeSpec);
        }
        const [inspectedPod] = fromCrictlInspectp(await call("inspectp", "-o", format, pod.id));
        expect(inspectedPod?.status).toEqual(await pod.status());
        expect(inspectedPod?.config).toEqual((await pod.inspect()).config);
        const [inspectedImage] = fromCrictlInspecti(await call("inspecti", "-o", format, image));
        expect(inspectedImage?.image).toEqual((await cri.images.inspect(image))?.image);
        expect(fromCrictlPs(await call("ps", "-a", "-o", format, "--pod", pod.id)).sort(byId)).toEqual(
          (await pod.containers()).sort(byId),
        );
        expect(fromCrictlPods(await call("pods", "-o", format, "--id", pod.id))).toEqual(
          await cri.pods.list({ id: pod.id }),
        );
        expect(fromCrictlImages(await call("images", "-o", format)).sort(byId)).toEqual(
          (await cri.images.list()).sort(byId),
        );
      }
    });
  }
});
