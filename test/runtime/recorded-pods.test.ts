/**
 * Runs the pods that a kubelet was recorded with, and checks inside their containers what the planned messages say. The images,
 * commands, probes and hooks are replaced, because those of the recordings do not exist.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type ContainerManifest,
  type NodeConfig,
  type PodManifest,
  type PodPlan,
  planPod,
} from "k8s-cri-client/kubernetes";
import type { ContainerConfig } from "k8s-cri-client/proto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { forEachSettled } from "../../src/internal/for-each.js";
import { type Recording, recordings } from "../support/kubelet-recordings.js";
import { type JourneyNode, journeyNode } from "./helpers/journey-node.js";
import { type Fixture, journeys } from "./helpers/journeys.js";
import { NodeAgent, type PodOnNode } from "./helpers/pod-on-node.js";

/** Recorded pods that cannot run in the lab, with the reason. */
const notRun: Readonly<Record<string, string>> = {
  "13-hugepages": "needs huge pages of the machine",
  "16-userns": "needs containerd 2 and a kernel with idmap mounts",
  "17-imagevol": "needs containerd 2.1; test/runtime has journeys of image volumes",
};

/** The kernel rounds limits of memory down to pages. */
const pageSizeBytes = 4096;

/** How many pods run at the same time. */
const concurrency = 8;

/** The time limit of a test with more than a hundred containers. A busy machine needs a multiple of what an idle one does. */
const timeoutMs = 600_000;

/** One recording of each pod. Those with an API server have more. */
const recorded: readonly Recording[] = [
  ...new Map(
    recordings()
      .map((recording) => [recording.pod, recording] as const)
      .toReversed(),
  ).values(),
].filter(({ pod }) => !(pod in notRun));

/** Makes a recorded pod run: its containers sleep, and its files of the node are in a temporary folder. */
function adapted({ manifest }: Recording, fixture: Fixture, node: JourneyNode): PodManifest {
  const { uid: _, ...metadata } = manifest.metadata;
  const container =
    (command: string[]) =>
    (one: ContainerManifest): ContainerManifest => {
      const { args: _a, startupProbe: _s, livenessProbe: _l, readinessProbe: _r, lifecycle: _c, ...rest } = one;
      return withoutProfiles({ ...rest, image: fixture.image, imagePullPolicy: "IfNotPresent", command });
    };
  const { initContainers = [], containers, runtimeClassName: _r, ...spec } = manifest.spec;
  const sleeps = container(["sleep", "infinity"]);
  const ends = container(["true"]);
  const text = JSON.stringify({
    ...manifest,
    metadata: { ...metadata, namespace: fixture.namespace },
    spec: {
      ...withoutProfiles(spec),
      terminationGracePeriodSeconds: 0,
      initContainers: initContainers.map((one) => (one.restartPolicy === "Always" ? sleeps(one) : ends(one))),
      containers: containers.map(sleeps),
    },
  });
  // Mounts of the lab do not propagate; test/runtime/propagation.test.ts sets up one that does.
  return JSON.parse(text.replaceAll("/srv/node", node.shared), (key, value) =>
    key === "mountPropagation" ? undefined : value,
  ) as PodManifest;
}

/** Removes what the machine of the tests does not have: SELinux, AppArmor and files of seccomp profiles. */
function withoutProfiles<T extends { securityContext?: object | undefined }>(spec: T): T {
  if (spec.securityContext === undefined) return spec;
  const {
    seLinuxOptions: _s,
    appArmorProfile: _a,
    seccompProfile,
    ...rest
  } = spec.securityContext as {
    seccompProfile?: { type: string };
  } & Record<string, unknown>;
  const kept = seccompProfile?.type === "Localhost" ? { type: "RuntimeDefault" } : seccompProfile;
  return { ...spec, securityContext: { ...rest, ...(kept && { seccompProfile: kept }) } };
}

/** Moves objects to the namespace of the journeys. Of those with one name, the last one stays. */
function moved<K extends object>(objects: K, namespace: string): K {
  const lists = Object.entries(objects).map(([kind, list]: [string, readonly { metadata: { name: string } }[]]) => {
    const byName = new Map(
      list.map((one) => [one.metadata.name, { ...one, metadata: { ...one.metadata, namespace } }]),
    );
    return [kind, [...byName.values()]];
  });
  return Object.fromEntries(lists) as K;
}

/** What a container sees, read by one command in it. */
async function observe(pod: PodOnNode, container: string) {
  const separator = "=====";
  const commands = [
    "cat /proc/self/environ",
    "cat /proc/self/mounts",
    "id -u; id -G",
    "grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status",
    "hostname",
    "cat /etc/resolv.conf",
    "cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max 2>/dev/null || true",
  ];
  const output = await pod.shell(container, commands.join(`; echo ${separator}; `));
  const [environment = "", mounts = "", ids = "", status = "", hostname = "", resolver = "", memory = ""] =
    output.split(`${separator}\n`);
  const [uid = "", groups = ""] = ids.split("\n");
  return {
    environment: Object.fromEntries(
      environment.split("\0").map((variable) => [variable.split("=")[0], variable.slice(variable.indexOf("=") + 1)]),
    ),
    mounts: new Map(mounts.split("\n").map((line) => [line.split(" ")[1], line.split(" ")[3]?.split(",") ?? []])),
    uid,
    groups: groups.split(" "),
    status: Object.fromEntries(
      status
        .trim()
        .split("\n")
        .map((line) => line.split(":\t")),
    ),
    hostname: hostname.trim(),
    resolver,
    memory: memory.trim(),
  };
}

/** Expects that a container sees what its message says. */
async function expectAsPlanned(pod: PodOnNode, plan: PodPlan, config: ContainerConfig): Promise<void> {
  const name = config.metadata?.name ?? "";
  const seen = await observe(pod, name);
  const at = `${plan.pod.metadata.name}/${name}`;
  for (const { key, value } of config.envs) {
    const text = Buffer.from(value).toString();
    // The shell that reads the environment ignores variables whose names it cannot have.
    if (/^\w+$/.test(key)) expect(seen.environment[key], `${at} ${key}`).toBe(text);
  }
  for (const { containerPath, readonly } of config.mounts) {
    const options = seen.mounts.get(containerPath);
    expect(options, `${at} ${containerPath}`).toBeDefined();
    if (readonly) expect(options, `${at} ${containerPath}`).toContain("ro");
  }
  const { securityContext: security, resources } = config.linux ?? {};
  const sandbox = plan.sandbox(0).config;
  expect(seen.uid, at).toBe(security?.runAsUser?.value.toString() ?? "0");
  for (const group of security?.supplementalGroups ?? []) expect(seen.groups, at).toContain(group.toString());
  expect(seen.status.NoNewPrivs, at).toBe(security?.noNewPrivs ? "1" : "0");
  expect(seen.status.Seccomp, at).toBe(security?.privileged || security?.seccomp?.profileType === 1 ? "0" : "2");
  if (sandbox?.hostname) expect(seen.hostname, at).toBe(sandbox.hostname);
  for (const server of sandbox?.dnsConfig?.servers ?? []) expect(seen.resolver, at).toContain(`nameserver ${server}`);
  const limit = resources?.memoryLimitInBytes.toNumber() ?? 0;
  if (limit > 0) expect(seen.memory, at).toBe(String(limit - (limit % pageSizeBytes)));
}

journeys("recorded-pods", (fixture) => {
  let agent: NodeAgent;
  beforeAll(async () => {
    agent = await NodeAgent.start(fixture.runtime);
  });
  afterAll(() => agent[Symbol.asyncDispose]());

  async function runAndCheck(recording: Recording): Promise<void> {
    await using at = await journeyNode();
    await mkdir(join(at.shared, "dir"));
    await writeFile(join(at.shared, "file"), "");
    const pod = adapted(recording, fixture, at);
    const node: NodeConfig = { ...at.config, allowedUnsafeSysctls: recording.node.allowedUnsafeSysctls };
    const { tokens } = recording;
    const objects = moved(recording.objects, fixture.namespace);
    const documents = [pod, ...Object.values(objects).flat()].map((one) => JSON.stringify(one));
    const running = await agent.run(documents.join("\n---\n"), node, tokens);
    try {
      await running.waitReady();
      const plan = planPod(pod, { node, objects, tokens });
      const [sandbox] = await fixture.cri.pods.list({ labels: { "io.kubernetes.pod.uid": plan.uid } });
      const { network } = await fixture.cri.pods.get(sandbox!.id).status();
      const podIPs = plan.hostNetwork ? node.addresses : [network?.ip ?? ""];
      const facts = { podSandboxId: sandbox!.id, podIPs, attempt: 0, image: { id: "", uid: 0n }, imageVolumes: {} };
      for (const container of plan.containers) {
        if (container.kind !== "init") await expectAsPlanned(running, plan, container.config(facts));
      }
    } finally {
      await running.dispose();
    }
  }

  test(
    "the pods of a kubelet's recordings run, and their containers see what the messages say",
    async () => {
      expect(recorded.length).toBeGreaterThan(25);
      const failures = await forEachSettled(recorded, concurrency, (recording) =>
        runAndCheck(recording).catch((error: Error) => {
          throw `${recording.pod}: ${error.message}`;
        }),
      );
      expect(failures).toEqual([]);
    },
    timeoutMs,
  );
});
