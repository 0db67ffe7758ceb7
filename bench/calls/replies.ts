/**
 * The containers and pods of the measured runtime, shaped like those of a kubelet. Every run gets the same ones.
 *
 * @module
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  Container,
  ContainerState,
  ContainerStats,
  ListContainerStatsResponse,
  ListContainersResponse,
  ListPodSandboxResponse,
  Long,
  PodSandbox,
  PodSandboxState,
  VersionResponse,
} from "k8s-cri-client/proto";

export const sizes = [100, 1_000, 10_000] as const;

/** The number of containers in the reply of the decoding task. */
export const decodedSize = 1_000;

const images = [
  "coredns/coredns:v1.12.1",
  "kube-proxy:v1.34.2",
  "nginx:1.29",
  "redis:8.2-alpine",
  "postgres:17.6",
  "grafana/grafana:12.1.1",
  "prometheus/node-exporter:v1.9.1",
  "fluent/fluent-bit:4.0.9",
  "cilium/cilium:v1.18.2",
  "library/busybox:1.37",
  "shop/checkout:2025-11-20",
  "shop/catalogue:2025-11-24",
];
const namespaces = ["default", "kube-system", "monitoring", "shop", "shop-staging"];
const base = 1_795_413_300_000_000_000n;

/** Writes the replies under the names that the servers expect, and one of them as JSON. */
export async function writeReplies(folder: string): Promise<void> {
  const write = (name: string, content: Uint8Array | string) => writeFile(join(folder, name), content);
  const version = { version: "0.1.0", runtimeName: "containerd", runtimeVersion: "v2.1.9", runtimeApiVersion: "v1" };
  await write("Version", VersionResponse.encode(version).finish());
  for (const n of sizes) {
    const node = new Node();
    const made = Array.from({ length: n }, () => node.container());
    const containers: ListContainersResponse = { containers: made.map(({ container }) => container) };
    const pods: ListPodSandboxResponse = { items: made.map(({ pod }) => pod) };
    const stats: ListContainerStatsResponse = { stats: made.map((one) => one.stats) };
    await write(`ListContainers.${n}`, ListContainersResponse.encode(containers).finish());
    await write(`ListPodSandbox.${n}`, ListPodSandboxResponse.encode(pods).finish());
    await write(`ListContainerStats.${n}`, ListContainerStatsResponse.encode(stats).finish());
    if (n === decodedSize) await write("reply.json", JSON.stringify(ListContainersResponse.toJSON(containers)));
  }
}

/** Generates containers, pods and statistics from a fixed seed. */
class Node {
  #state = 0x2545f491;

  container(): { container: Container; pod: PodSandbox; stats: ContainerStats } {
    const imageNumber = this.#below(images.length);
    const [image = "", namespace = ""] = [images[imageNumber], namespaces[this.#below(namespaces.length)]];
    const name = image.replace(/^.*\/|:.*$/g, "");
    const replicaSet = this.#hex(10);
    const podName = `${name}-${replicaSet}-${this.#hex(5)}`;
    const uid = this.#hex(32).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
    const createdAt = this.#time();
    const labels = {
      "io.kubernetes.pod.name": podName,
      "io.kubernetes.pod.namespace": namespace,
      "io.kubernetes.pod.uid": uid,
    };
    const running = this.#below(10) > 0;
    const pod = PodSandbox.fromPartial({
      id: this.#hex(64),
      metadata: { name: podName, uid, namespace },
      state: running ? PodSandboxState.SANDBOX_READY : PodSandboxState.SANDBOX_NOTREADY,
      createdAt,
      labels: { app: name, "pod-template-hash": replicaSet, ...labels },
      annotations: {
        "kubernetes.io/config.seen": new Date(Number(base / 1_000_000n) + this.#below(1e9)).toISOString(),
        "kubernetes.io/config.source": "api",
      },
      runtimeHandler: "runc",
    });
    const imageId = `sha256:${imageNumber.toString(16).repeat(64)}`;
    const container = Container.fromPartial({
      id: this.#hex(64),
      podSandboxId: pod.id,
      metadata: { name, attempt: this.#below(3) },
      image: { image: imageId, userSpecifiedImage: `registry.example/${image}` },
      imageRef: imageId,
      imageId,
      state: running ? ContainerState.CONTAINER_RUNNING : ContainerState.CONTAINER_EXITED,
      createdAt,
      labels: { "io.kubernetes.container.name": name, ...labels },
      annotations: {
        "io.kubernetes.container.hash": this.#hex(8),
        "io.kubernetes.container.restartCount": "0",
        "io.kubernetes.container.terminationMessagePath": "/dev/termination-log",
        "io.kubernetes.container.terminationMessagePolicy": "File",
        "io.kubernetes.pod.terminationGracePeriod": "30",
      },
    });
    return { container, pod, stats: this.#stats(container) };
  }

  #stats({ id, metadata, labels, annotations }: Container): ContainerStats {
    const timestamp = this.#time();
    const upTo = (most: number) => ({ value: Long.fromNumber(this.#below(most), true) });
    return ContainerStats.fromPartial({
      attributes: { id, metadata, labels, annotations },
      cpu: { timestamp, usageCoreNanoSeconds: upTo(1e14), usageNanoCores: upTo(2e9) },
      memory: {
        timestamp,
        workingSetBytes: upTo(4e9),
        availableBytes: upTo(4e9),
        usageBytes: upTo(4e9),
        rssBytes: upTo(4e9),
        pageFaults: upTo(1e7),
        majorPageFaults: upTo(1e3),
      },
      writableLayer: {
        timestamp,
        fsId: { mountpoint: "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs" },
        usedBytes: upTo(1e9),
        inodesUsed: upTo(1e4),
      },
      swap: { timestamp, swapAvailableBytes: upTo(1e9), swapUsageBytes: upTo(1e6) },
    });
  }

  /** A time within one day, in nanoseconds. */
  #time(): Long {
    return Long.fromString(String(base + BigInt(this.#below(86_400_000)) * 1_000_000n + BigInt(this.#below(1e6))));
  }

  #hex(length: number): string {
    let digits = "";
    while (digits.length < length) digits += this.#next().toString(16).padStart(8, "0");
    return digits.slice(0, length);
  }

  #below(limit: number): number {
    return Math.floor((this.#next() / 2 ** 32) * limit);
  }

  /** The next number of an xorshift generator. */
  #next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return x >>> 0;
  }
}
