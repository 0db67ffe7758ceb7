/** Returns a large request of CreateContainer in protobuf's JSON, which all libraries can parse. */
export function createContainerRequest(): object {
  const many = <Item>(count: number, item: (index: number) => Item) =>
    Array.from({ length: count }, (_, at) => item(at));
  const pairs = (count: number, prefix: string) =>
    Object.fromEntries(many(count, (at) => [`${prefix}/setting-${at}`, `the value of setting ${at}`.repeat(3)]));
  const resources = {
    cpuPeriod: "100000",
    cpuQuota: "250000",
    cpuShares: "2560",
    memoryLimitInBytes: "17179869184",
    oomScoreAdj: "997",
    cpusetCpus: "0-31",
    unified: { "memory.high": "16106127360" },
  };
  const labels = {
    app: "checkout",
    "io.kubernetes.pod.name": "checkout-5d9c7b6f4-x2x7q",
    ...pairs(20, "shop.example"),
  };
  const metadata = { name: "checkout-5d9c7b6f4-x2x7q", uid: "0d2f1c5e-7c1b-4b8e-9a63-2f7f0c1d9e55", namespace: "shop" };
  return {
    podSandboxId: "3f".repeat(32),
    config: {
      metadata: { name: "checkout", attempt: 2 },
      image: { image: `sha256:${"a7".repeat(32)}`, userSpecifiedImage: "registry.example/shop/checkout:2025-11-20" },
      command: ["/usr/bin/node"],
      args: many(30, (at) => `--feature-${at}=on`),
      workingDir: "/srv/checkout",
      envs: many(300, (at) => ({
        key: `CHECKOUT_SERVICE_PORT_${at}`,
        value: Buffer.from(`tcp://10.96.${at % 256}.17:${8_000 + at}`).toString("base64"),
      })),
      mounts: many(80, (at) => ({
        containerPath: `/etc/checkout/${at}`,
        hostPath: `/var/lib/kubelet/pods/${metadata.uid}/volumes/kubernetes.io~configmap/settings-${at}`,
        readonly: true,
        propagation: "PROPAGATION_HOST_TO_CONTAINER",
      })),
      labels,
      annotations: pairs(60, "checkout.shop.example"),
      logPath: "checkout/2.log",
      linux: {
        resources,
        securityContext: {
          capabilities: { dropCapabilities: ["ALL"], addCapabilities: ["NET_BIND_SERVICE"] },
          namespaceOptions: { pid: "CONTAINER" },
          runAsUser: { value: "1000" },
          supplementalGroups: ["2000", "3000"],
          noNewPrivs: true,
          maskedPaths: ["/proc/asound", "/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/timer_list"],
          readonlyPaths: ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
        },
      },
    },
    sandboxConfig: {
      metadata,
      hostname: metadata.name,
      logDirectory: `/var/log/pods/shop_${metadata.name}_${metadata.uid}`,
      dnsConfig: { servers: ["10.96.0.10"], searches: ["shop.svc.cluster.local", "svc.cluster.local"] },
      portMappings: many(10, (at) => ({ containerPort: 8_080 + at })),
      labels,
      annotations: pairs(60, "checkout.shop.example"),
      linux: { cgroupParent: `/kubepods/burstable/pod${metadata.uid}`, sysctls: { "net.core.somaxconn": "4096" } },
    },
  };
}
