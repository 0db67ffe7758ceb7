import { describe, expect, it } from "vitest";
import type { ServiceManifest } from "../../../../src/kubernetes/index.js";
import { serviceVariables } from "../../../../src/kubernetes/planning/service-links.js";
import { contextOf } from "./pod-context.js";

function service(name: string, namespace: string | undefined, spec: ServiceManifest["spec"]): ServiceManifest {
  return { apiVersion: "v1", kind: "Service", metadata: { name, namespace }, spec };
}

function variables(services: readonly ServiceManifest[], enableServiceLinks?: boolean) {
  return Object.fromEntries(serviceVariables(contextOf({ enableServiceLinks }, { objects: { services } })));
}

const kubernetes = service("kubernetes", "default", { clusterIP: "10.0.0.1", ports: [{ name: "https", port: 443 }] });
const cache = service("the-cache", "shop", {
  clusterIP: "10.0.0.2",
  ports: [
    { name: "main-port", port: 6379 },
    { name: "dns", port: 53, protocol: "UDP" },
  ],
});
const host = (name: string) => `${name}_SERVICE_HOST`;

describe("the variables of Services", () => {
  it("name the address, the ports and the link of each port", () => {
    expect(variables([cache])).toEqual({
      THE_CACHE_SERVICE_HOST: "10.0.0.2",
      THE_CACHE_SERVICE_PORT: "6379",
      THE_CACHE_SERVICE_PORT_MAIN_PORT: "6379",
      THE_CACHE_SERVICE_PORT_DNS: "53",
      THE_CACHE_PORT: "tcp://10.0.0.2:6379",
      THE_CACHE_PORT_6379_TCP: "tcp://10.0.0.2:6379",
      THE_CACHE_PORT_6379_TCP_PROTO: "tcp",
      THE_CACHE_PORT_6379_TCP_PORT: "6379",
      THE_CACHE_PORT_6379_TCP_ADDR: "10.0.0.2",
      THE_CACHE_PORT_53_UDP: "udp://10.0.0.2:53",
      THE_CACHE_PORT_53_UDP_PROTO: "udp",
      THE_CACHE_PORT_53_UDP_PORT: "53",
      THE_CACHE_PORT_53_UDP_ADDR: "10.0.0.2",
    });
  });

  it("contain IPv6 addresses in brackets within URLs", () => {
    const services = [service("six", "shop", { clusterIP: "fd00::2", ports: [{ port: 80 }] })];
    expect(variables(services)).toMatchObject({
      SIX_SERVICE_HOST: "fd00::2",
      SIX_PORT: "tcp://[fd00::2]:80",
      SIX_PORT_80_TCP_ADDR: "fd00::2",
    });
  });

  it("omit Services of other namespaces and Services without an address", () => {
    const services = [
      kubernetes,
      service("other", "elsewhere", { clusterIP: "10.0.0.3", ports: [{ port: 1 }] }),
      service("unset", "shop", { ports: [{ port: 1 }] }),
      service("headless", "shop", { clusterIP: "None", ports: [{ port: 1 }] }),
      service("no-namespace", undefined, { clusterIP: "10.0.0.4", ports: [{ port: 1 }] }),
    ];
    const hosts = Object.keys(variables(services)).filter((name) => name.endsWith("_SERVICE_HOST"));
    expect(hosts).toEqual([host("KUBERNETES")]);
  });

  it("contain only the API server without service links", () => {
    expect(variables([cache, kubernetes], false)).toMatchObject({ KUBERNETES_SERVICE_HOST: "10.0.0.1" });
    expect(variables([cache, kubernetes], false)).not.toHaveProperty(host("THE_CACHE"));
  });

  it("prefer the Service kubernetes of the pod's namespace", () => {
    const own = service("kubernetes", "shop", { clusterIP: "10.0.0.9", ports: [{ port: 443 }] });
    for (const services of [
      [own, kubernetes],
      [kubernetes, own],
    ]) {
      expect(variables(services)).toMatchObject({ KUBERNETES_SERVICE_HOST: "10.0.0.9" });
    }
    expect(variables([own, kubernetes], false)).toMatchObject({ KUBERNETES_SERVICE_HOST: "10.0.0.1" });
  });
});
