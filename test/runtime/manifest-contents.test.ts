/** What containers of pods from manifests see: environment, files, users, names and limits. */
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readdir, readFile, readlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { containerdPid } from "./helpers/containerd-process.js";
import { type JourneyNode, journeyNode } from "./helpers/journey-node.js";
import { type Fixture, journeys } from "./helpers/journeys.js";
import { NodeAgent, type PodOnNode } from "./helpers/pod-on-node.js";

/** A pod that is ready, and its node. Disposing of it checks that nothing of it is left. */
class ReadyPod implements AsyncDisposable {
  private constructor(
    readonly pod: PodOnNode,
    readonly node: JourneyNode,
    /** The directory of the runtime's process in `/proc`. Its root is the file system of the runtime. */
    readonly runtimeProcess: string,
  ) {}

  static async run(fixture: Fixture, agent: NodeAgent, manifests: (shared: string) => string): Promise<ReadyPod> {
    const node = await journeyNode();
    await mkdir(join(node.shared, "dir"));
    await writeFile(join(node.shared, "dir/of-the-node"), "from the node\n");
    const document = manifests(node.shared)
      .replaceAll("IMAGE", fixture.image)
      .replaceAll("NAMESPACE", fixture.namespace);
    const pod = await agent.run(document, node.config);
    const ready = new ReadyPod(pod, node, `/proc/${containerdPid(fixture.runtime.endpoint)}`);
    try {
      await pod.waitReady();
    } catch (error) {
      await ready[Symbol.asyncDispose]();
      throw error;
    }
    return ready;
  }

  sh(line: string, container = "main"): Promise<string> {
    return this.pod.shell(container, line);
  }

  /** Returns the lines of a command's output. */
  async lines(line: string, container = "main"): Promise<string[]> {
    return (await this.sh(line, container)).split("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await using node = this.node;
    await this.pod.dispose();
    const { rootDirectory, podLogsDirectory } = node.config;
    const mounts = readFileSync(join(this.runtimeProcess, "mountinfo"), "utf8").split("\n");
    expect(mounts.filter((mount) => mount.includes(rootDirectory))).toEqual([]);
    expect(await readdir(join(rootDirectory, "pods"))).toEqual([]);
    expect(await readdir(podLogsDirectory)).toEqual([]);
    expect(await readFile(join(node.shared, "dir/of-the-node"), "utf8")).toBe("from the node\n");
    for (const controller of ["memory", "cpu", "pids"]) {
      const groups = `${this.runtimeProcess}/root/sys/fs/cgroup/${controller}/kubepods`;
      const left = existsSync(groups) ? await readdir(groups, { recursive: true }) : [];
      expect(left.filter((path) => path.includes(this.pod.uid))).toEqual([]);
    }
  }
}

/** Returns whether process 1 of a container has a capability, by its number in the kernel: 21 is SYS_ADMIN, 25 is SYS_TIME. */
async function hasCapability(pod: ReadyPod, container: string, number: bigint): Promise<boolean> {
  const [, effective] = (await pod.sh("grep ^CapEff /proc/1/status", container)).split("\t");
  return ((BigInt(`0x${effective}`) >> number) & 1n) === 1n;
}

const objects = `
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: NAMESPACE}
data: {color: blue, size: "42", not-a-name: fine}
binaryData: {raw: AAEC}
---
apiVersion: v1
kind: Secret
metadata: {name: login, namespace: NAMESPACE}
stringData: {password: "s3cret", user: admin}
`;

journeys("manifest-contents", (fixture) => {
  let agent: NodeAgent;
  beforeAll(async () => {
    agent = await NodeAgent.start(fixture.runtime);
  });
  afterAll(() => agent[Symbol.asyncDispose]());

  test("environment variables come from values, fields, resources, ConfigMaps and Secrets", async () => {
    await using pod = await ReadyPod.run(
      fixture,
      agent,
      () => `
apiVersion: v1
kind: Pod
metadata: {name: env, namespace: NAMESPACE, labels: {app: env}, annotations: {note: "two\\nlines"}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: main
    image: IMAGE
    command: [/bin/sh, -c, 'echo "$GREETING" > /tmp/greeting; exec sleep infinity']
    resources: {limits: {cpu: 1500m, memory: 64Mi}}
    env:
    - {name: BASE, value: app}
    - {name: GREETING, value: "hello $(BASE) $(MISSING) $$(BASE)"}
    - {name: NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
    - {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
    - {name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
    - {name: LABEL, valueFrom: {fieldRef: {fieldPath: "metadata.labels['app']"}}}
    - {name: NOTE, valueFrom: {fieldRef: {fieldPath: "metadata.annotations['note']"}}}
    - {name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}
    - {name: MEMORY, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 1Mi}}}
    - {name: SIZE, valueFrom: {configMapKeyRef: {name: settings, key: size}}}
    - {name: PASSWORD, valueFrom: {secretKeyRef: {name: login, key: password}}}
    envFrom:
    - {prefix: S_, configMapRef: {name: settings}}
    - secretRef: {name: login}
    - configMapRef: {name: missing, optional: true}
${objects}`,
    );
    const variables = Object.fromEntries(
      (await pod.sh("tr '\\n' '|' < /proc/1/environ | tr '\\0' '\\n'")).split("\n").map((line) => {
        const [name = "", ...rest] = line.split("=");
        return [name, rest.join("=")];
      }),
    );
    const [status] = (await fixture.cri.pods.list({ namespace: fixture.namespace, name: "env" })).slice(0, 1);
    const { network } = await fixture.cri.pods.get(status!.id).status();
    expect(variables).toMatchObject({
      BASE: "app",
      GREETING: "hello app $(MISSING) $(BASE)",
      NAME: "env",
      IP: network?.ip,
      NODE: "node1",
      LABEL: "env",
      NOTE: "two|lines",
      CPU: "2",
      MEMORY: "64",
      SIZE: "42",
      PASSWORD: "s3cret",
      S_color: "blue",
      user: "admin",
    });
    expect(await pod.sh("cat /tmp/greeting")).toBe("hello app $(MISSING) $(BASE)");
  });

  test("volumes have their files, modes and mounts", async () => {
    await using pod = await ReadyPod.run(
      fixture,
      agent,
      (shared) => `
apiVersion: v1
kind: Pod
metadata: {name: volumes, namespace: NAMESPACE, labels: {app: volumes}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: main
    image: IMAGE
    command: [sleep, infinity]
    env: [{name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
    volumeMounts:
    - {name: scratch, mountPath: /scratch}
    - {name: scratch, mountPath: /sub, subPath: a/b}
    - {name: scratch, mountPath: /expr, subPathExpr: "by/$(POD)"}
    - {name: memory, mountPath: /memory}
    - {name: node, mountPath: /node, readOnly: true}
    - {name: made, mountPath: /made}
    - {name: settings, mountPath: /settings}
    - {name: settings, mountPath: /color, subPath: color}
    - {name: login, mountPath: /login}
    - {name: info, mountPath: /info}
    - {name: all, mountPath: /all}
  - {name: other, image: IMAGE, command: [sleep, infinity], volumeMounts: [{name: scratch, mountPath: /shared}]}
  volumes:
  - {name: scratch, emptyDir: {}}
  - {name: memory, emptyDir: {medium: Memory, sizeLimit: 4Mi}}
  - {name: node, hostPath: {path: ${shared}/dir, type: Directory}}
  - {name: made, hostPath: {path: ${shared}/made, type: DirectoryOrCreate}}
  - name: settings
    configMap: {name: settings, items: [{key: color, path: color}, {key: size, path: deep/size, mode: 0400}]}
  - {name: login, secret: {secretName: login, defaultMode: 0400}}
  - name: info
    downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}]}
  - name: all
    projected:
      sources:
      - configMap: {name: settings, items: [{key: raw, path: raw}]}
      - secret: {name: login, items: [{key: user, path: who}]}
      - downwardAPI: {items: [{path: name, fieldRef: {fieldPath: metadata.name}}]}
${objects}`,
    );
    await pod.sh("echo one > /scratch/file && echo two > /sub/file && echo three > /expr/file");
    expect(await pod.lines("cd /shared && cat file a/b/file by/volumes/file", "other")).toEqual([
      "one",
      "two",
      "three",
    ]);
    expect(await pod.lines("stat -c %a /scratch /memory /made")).toEqual(["777", "1777", "755"]);
    expect(await pod.sh("grep ' /memory ' /proc/mounts")).toMatch(/^tmpfs \/memory tmpfs .*size=4096k/);
    expect(await pod.sh("cat /node/of-the-node; touch /node/x 2>&1 || true")).toMatch(/^from the node\n.*Read-only/);
    expect(
      await pod.lines("cat /settings/color /settings/deep/size /color; stat -L -c %a /settings/deep/size"),
    ).toEqual(["blue42blue400"]);
    expect(await pod.lines("cat /login/password; echo; stat -L -c %a /login/password")).toEqual(["s3cret", "400"]);
    expect(await pod.sh("cat /info/labels")).toBe('app="volumes"');
    expect(await pod.lines("cat /all/who /all/name; echo; od -An -tx1 /all/raw")).toEqual([
      "adminvolumes",
      " 00 01 02",
    ]);
    for (const path of ["/settings", "/login", "/info", "/all"]) {
      expect(await pod.sh(`touch ${path}/x 2>&1 || true`), path).toContain("Read-only file system");
    }
    // Secrets never reach the disk of the node.
    expect(await pod.sh("grep ' /login ' /proc/mounts")).toMatch(/^tmpfs /);
  });

  test("users, groups, capabilities and read-only roots are those of the security contexts", async () => {
    await using pod = await ReadyPod.run(
      fixture,
      agent,
      () => `
apiVersion: v1
kind: Pod
metadata: {name: security, namespace: NAMESPACE}
spec:
  terminationGracePeriodSeconds: 0
  securityContext: {runAsUser: 1000, runAsGroup: 2000, fsGroup: 3000, supplementalGroups: [4000], runAsNonRoot: true}
  containers:
  - name: main
    image: IMAGE
    command: [sleep, infinity]
    volumeMounts: [{name: data, mountPath: /data}, {name: login, mountPath: /login}]
    securityContext: {readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
  - name: root
    image: IMAGE
    command: [sleep, infinity]
    securityContext: {runAsUser: 0, runAsNonRoot: false, capabilities: {add: [SYS_TIME]}}
  volumes:
  - {name: data, emptyDir: {}}
  - {name: login, secret: {secretName: login, defaultMode: 0400}}
${objects}`,
    );
    expect(await pod.sh("id -u; id -g; id -G")).toBe("1000\n2000\n2000 3000 4000");
    expect(await pod.lines("stat -c '%a %g' /data; touch /data/file && stat -c '%u %g' /data/file")).toEqual([
      "2777 3000",
      "1000 3000",
    ]);
    expect(await pod.sh("cat /login/password")).toBe("s3cret");
    expect(await pod.sh("touch /etc/x 2>&1 || true")).toContain("Read-only file system");
    expect(await pod.lines("grep -E '^(CapEff|NoNewPrivs)' /proc/1/status")).toEqual([
      "CapEff:\t0000000000000000",
      "NoNewPrivs:\t1",
    ]);
    expect(await pod.sh("id -u; id -g", "root")).toBe("0\n2000");
    expect(await hasCapability(pod, "root", 25n)).toBe(true);
  });

  test("names, hosts and DNS settings are those of the pod", async () => {
    await using pod = await ReadyPod.run(
      fixture,
      agent,
      () => `
apiVersion: v1
kind: Pod
metadata: {name: names, namespace: NAMESPACE}
spec:
  terminationGracePeriodSeconds: 0
  hostname: web-0
  subdomain: web
  setHostnameAsFQDN: true
  dnsConfig: {searches: [extra.example], options: [{name: ndots, value: "2"}]}
  hostAliases: [{ip: 10.1.2.3, hostnames: [foo.local, bar.local]}]
  shareProcessNamespace: true
  containers:
  - {name: main, image: IMAGE, command: [sleep, infinity]}
  - {name: other, image: IMAGE, command: [sleep, "1234567"]}
`,
    );
    const fqdn = `web-0.web.${fixture.namespace}.svc.cluster.local`;
    expect(await pod.sh("hostname")).toBe(fqdn);
    const hosts = await pod.sh("cat /etc/hosts");
    expect(hosts).toMatch(/^127\.0\.0\.1\s+localhost$/m);
    expect(hosts).toMatch(new RegExp(`^[0-9.]+\\s+${fqdn}\\s+web-0$`, "m"));
    expect(hosts).toMatch(/^10\.1\.2\.3\s+foo\.local\s+bar\.local$/m);
    expect((await pod.lines("cat /etc/resolv.conf")).sort()).toEqual([
      "nameserver 10.96.0.10",
      "options ndots:2",
      `search ${fixture.namespace}.svc.cluster.local svc.cluster.local cluster.local corp.example extra.example`,
    ]);
    expect(await pod.sh("ps | grep -c '[s]leep 1234567'")).toBe("1");
  });

  test("sysctls, termination messages, working directories and read-only paths are those of the manifest", async () => {
    await using pod = await ReadyPod.run(
      fixture,
      agent,
      () => `
apiVersion: v1
kind: Pod
metadata: {name: settings, namespace: NAMESPACE}
spec:
  terminationGracePeriodSeconds: 0
  restartPolicy: OnFailure
  securityContext: {sysctls: [{name: net.ipv4.ip_local_port_range, value: "1024 65000"}]}
  containers:
  - name: main
    image: IMAGE
    workingDir: /work/here
    command: [sleep, infinity]
  - {name: open, image: IMAGE, command: [sleep, infinity], securityContext: {privileged: true}}
  initContainers:
  - name: first
    image: IMAGE
    command: [/bin/sh, -c, "echo done by $(hostname) > /dev/custom"]
    terminationMessagePath: /dev/custom
`,
    );
    expect(await pod.sh("cat /proc/sys/net/ipv4/ip_local_port_range")).toBe("1024\t65000");
    expect(await pod.sh("readlink /proc/1/cwd")).toBe("/work/here");
    expect(await pod.sh("{ echo x > /proc/sys/kernel/domainname; } 2>&1 || true")).toContain("Read-only file system");
    expect(await pod.sh("wc -c < /proc/keys")).toBe("0");
    expect(await hasCapability(pod, "main", 21n)).toBe(false);
    expect(await hasCapability(pod, "open", 21n)).toBe(true);
    expect(await pod.pod.status()).toMatchObject({
      phase: "Running",
      initContainerStatuses: [{ name: "first", state: { terminated: { exitCode: 0, message: "done by settings\n" } } }],
    });
  });

  test("a pod in the namespaces of the node sees its network, processes and hosts", async () => {
    await using pod = await ReadyPod.run(
      fixture,
      agent,
      () => `
apiVersion: v1
kind: Pod
metadata: {name: host, namespace: NAMESPACE}
spec:
  terminationGracePeriodSeconds: 0
  hostNetwork: true
  hostPID: true
  hostIPC: true
  dnsPolicy: ClusterFirstWithHostNet
  hostAliases: [{ip: 10.1.2.3, hostnames: [foo.local]}]
  containers:
  - name: main
    image: IMAGE
    command: [sleep, infinity]
    env: [{name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}]
`,
    );
    const namespaces = (process: string) =>
      Promise.all(["net", "ipc", "pid"].map((kind) => readlink(join(process, "ns", kind))));
    expect(await pod.lines("for kind in net ipc pid; do readlink /proc/self/ns/$kind; done")).toEqual(
      await namespaces(pod.runtimeProcess),
    );
    expect(await pod.sh("echo $IP")).toBe("192.0.2.10");
    expect(await pod.sh("cat /etc/hosts")).toMatch(/^10\.1\.2\.3\s+foo\.local$/m);
    expect(await pod.sh("grep ^nameserver /etc/resolv.conf")).toBe("nameserver 10.96.0.10");
  });

  test("cgroups have the limits of the containers and of the pod", async () => {
    await using pod = await ReadyPod.run(
      fixture,
      agent,
      () => `
apiVersion: v1
kind: Pod
metadata: {name: limits, namespace: NAMESPACE}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: main
    image: IMAGE
    command: [sleep, infinity]
    resources: {requests: {cpu: 250m, memory: 32Mi}, limits: {cpu: 500m, memory: 64Mi}}
  - name: other
    image: IMAGE
    command: [sleep, infinity]
    resources: {requests: {cpu: 100m}, limits: {cpu: 1, memory: 32Mi}}
`,
    );
    if (pod.node.config.cgroupVersion === 2) {
      expect(await pod.lines("cd /sys/fs/cgroup; cat memory.max cpu.max")).toEqual([`${64 << 20}`, "50000 100000"]);
      const group = `${pod.runtimeProcess}/root/sys/fs/cgroup/kubepods/burstable/pod${pod.pod.uid}`;
      const files = ["memory.max", "cpu.max", "pids.max"].map((file) => readFileSync(join(group, file), "utf8").trim());
      expect(files).toEqual([`${96 << 20}`, "150000 100000", "200"]);
      return;
    }
    expect(
      await pod.lines(
        "cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes cpu/cpu.shares cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us",
      ),
    ).toEqual([`${64 << 20}`, "256", "50000", "100000"]);
    const group = (controller: string, file: string) =>
      readFileSync(
        `${pod.runtimeProcess}/root/sys/fs/cgroup/${controller}/kubepods/burstable/pod${pod.pod.uid}/${file}`,
        "utf8",
      ).trim();
    expect({
      memory: group("memory", "memory.limit_in_bytes"),
      shares: group("cpu", "cpu.shares"),
      quota: group("cpu", "cpu.cfs_quota_us"),
      pids: group("pids", "pids.max"),
    }).toEqual({ memory: `${96 << 20}`, shares: "358", quota: "150000", pids: "200" });
  });
});
