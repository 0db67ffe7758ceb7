/** Pod settings that apply to containers: network, host names, kernel parameters, namespaces and runtime handlers. */
import { readlink } from "node:fs/promises";
import { hostname } from "node:os";
import { PodSandboxState } from "k8s-cri-client";
import { expect, test } from "vitest";
import { criFailureOf } from "./helpers/expectations.js";
import { outputOf } from "./helpers/in-container.js";
import { journeys, sh } from "./helpers/journeys.js";

journeys("pods", (fixture) => {
  const { cri, runtime, traits } = fixture;

  test("a pod has its own network, which the node can reach", async () => {
    await using pod = await fixture.pod();
    await using server = await fixture.container(pod, {
      command: sh("mkdir /tmp/www && echo hello > /tmp/www/greeting && exec httpd -f -p 8080 -h /tmp/www"),
    });
    const { network } = await pod.status();
    expect(await outputOf(server, "ip -4 -o address show dev eth0")).toContain(`${network?.ip}/`);
    await outputOf(server, "until wget -q -O /dev/null http://127.0.0.1:8080/greeting; do sleep 0.05; done");
    const reply = await fetch(`http://${network?.ip}:8080/greeting`);
    expect(await reply.text()).toBe("hello\n");
  });

  test("containers of a pod share its network", async () => {
    await using pod = await fixture.pod();
    await using one = await fixture.container(pod);
    await using two = await fixture.container(pod);
    const kinds = traits.podHasUts ? "net ipc uts" : "net ipc";
    const namespaces = `for kind in ${kinds}; do readlink /proc/self/ns/$kind; done`;
    expect(await outputOf(one, namespaces)).toBe(await outputOf(two, namespaces));
    expect(await outputOf(one, "readlink /proc/self/ns/net")).not.toBe(await readlink("/proc/self/ns/net"));
  });

  test("hostNetwork uses the network and host name of the node", async () => {
    await using pod = await fixture.pod({ hostNetwork: true });
    await using container = await fixture.container(pod);
    expect(await outputOf(container, "readlink /proc/self/ns/net")).toBe(await readlink("/proc/self/ns/net"));
    expect(await outputOf(container, "hostname")).toBe(hostname());
    expect((await pod.status()).linux?.namespaces?.options?.network).toBe(2);
  });

  test("the host name is that of the spec, or by default the name of the pod", async () => {
    await using named = await fixture.pod({ hostname: "given-name" });
    await using container = await fixture.container(named);
    expect(await outputOf(container, "hostname; cat /etc/hostname")).toBe("given-name\ngiven-name");
    await using unnamed = await fixture.pod({ name: traits.anyPodName ? "some.pod_name" : "some.pod-name" });
    await using other = await fixture.container(unnamed);
    expect(await outputOf(other, "hostname")).toMatch(/^some[.-]pod-name$/);
  });

  test("resolv.conf contains the DNS settings of the spec", async () => {
    await using pod = await fixture.pod({
      dns: {
        servers: ["192.0.2.53", "2001:db8::53"],
        searches: ["one.example", "two.example"],
        options: ["ndots:5", "timeout:1"],
      },
    });
    await using container = await fixture.container(pod);
    const lines = (await outputOf(container, "cat /etc/resolv.conf")).split("\n");
    expect(lines).toEqual(
      expect.arrayContaining([
        "search one.example two.example",
        "nameserver 192.0.2.53",
        "nameserver 2001:db8::53",
        "options ndots:5 timeout:1",
      ]),
    );
  });

  test("sets the kernel parameters of the spec", async () => {
    await using pod = await fixture.pod({
      sysctls: { "net.ipv4.ip_unprivileged_port_start": "81", "kernel.shm_rmid_forced": "1" },
    });
    await using container = await fixture.container(pod);
    const files = "/proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/shm_rmid_forced";
    expect(await outputOf(container, `cat ${files}`)).toBe("81\n1");
  });

  test("containers have their own PID namespace, or share that of the pod, of a container or of the node", async () => {
    const count = "ls -d /proc/[0-9]* | wc -l";
    await using pod = await fixture.hostNetworkPod();
    await using main = await fixture.container(pod, { command: ["/bin/sleep", "4242"] });
    await using separate = await fixture.container(pod);
    const seesMain = async (container: typeof separate) =>
      (await outputOf(container, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")).includes("sleep 4242");
    expect(await seesMain(separate)).toBe(false);
    expect(await outputOf(separate, "tr '\\0' ' ' < /proc/1/cmdline")).toBe("/bin/sleep infinity");
    await using targeting = await fixture.container(pod, { processes: { target: main.id } });
    expect(await seesMain(targeting)).toBe(true);
    await using nodePod = await fixture.hostNetworkPod({ hostPID: true });
    await using inNodePod = await fixture.container(nodePod);
    expect(await seesMain(inNodePod)).toBe(true);
    expect(Number(await outputOf(inNodePod, count))).toBeGreaterThan(Number(await outputOf(separate, count)));
    await using alone = await fixture.container(nodePod, { processes: "container" });
    expect(await seesMain(alone)).toBe(false);

    await using sharing = await fixture.hostNetworkPod({ shareProcessNamespace: true });
    await using one = await fixture.container(sharing, { command: ["/bin/sleep", "4242"] });
    await using two = await fixture.container(sharing);
    expect(await seesMain(two)).toBe(true);
    expect(await outputOf(one, "readlink /proc/self/ns/pid")).toBe(await outputOf(two, "readlink /proc/self/ns/pid"));
  });

  test("hostIPC uses the IPC namespace of the node", async () => {
    await using pod = await fixture.hostNetworkPod({ hostIPC: true });
    await using container = await fixture.container(pod);
    expect(await outputOf(container, "readlink /proc/self/ns/ipc")).toBe(await readlink("/proc/self/ns/ipc"));
  });

  test.skipIf(!runtime.lab)("runs a pod with a runtime handler other than the default", async () => {
    const [, handler = ""] = runtime.lab!.handlers;
    await using pod = await fixture.hostNetworkPod({ runtimeHandler: handler });
    await using container = await fixture.container(pod);
    expect(await outputOf(container, "echo works")).toBe("works");
    expect((await pod.status()).runtimeHandler).toBe(handler);
    expect((await cri.pods.list({ id: pod.id }))[0]?.runtimeHandler).toBe(handler);
  });

  test("the error for an unknown runtime handler contains its name, and no pod is left", async () => {
    const spec = fixture.podSpec({ runtimeHandler: "no-such-handler" });
    const failure = await criFailureOf(cri.pods.run(spec));
    expect(failure.message).toContain("no-such-handler");
    expect(await cri.pods.list({ name: spec.name, namespace: fixture.namespace })).toEqual([]);
  });

  test("running a spec twice creates two pods; with the same uid and adopt: true, it returns the existing pod", async () => {
    const spec = fixture.podSpec({ hostNetwork: true });
    await using one = await cri.pods.run(spec);
    await using two = await cri.pods.run(spec);
    expect(two.id).not.toBe(one.id);
    const fixed = { ...spec, uid: `fixed-${fixture.namespace}` };
    await using first = await cri.pods.run(fixed);
    const again = await cri.pods.run(fixed, { adopt: true });
    expect(again).toMatchObject({ id: first.id, adopted: true });
    const withoutAdopt = await criFailureOf(cri.pods.run(fixed));
    expect(withoutAdopt).toMatchObject({ code: "NAME_RESERVED", holderId: first.id });
    expect(first.adopted).toBe(false);
    const changed = await criFailureOf(cri.pods.run({ ...fixed, labels: { other: "config" } }, { adopt: true }));
    expect(changed).toMatchObject({ code: "NAME_RESERVED", holderId: first.id });
    if (traits.replacesStoppedPod) return;
    await first.stop();
    const stopped = await criFailureOf(cri.pods.run(fixed, { adopt: true }));
    expect(stopped).toMatchObject({ code: "NAME_RESERVED", holderId: first.id });
    await using next = await cri.pods.run({ ...fixed, attempt: 1 });
    expect((await next.status()).state).toBe(PodSandboxState.SANDBOX_READY);
    expect(await cri.pods.list({ uid: fixed.uid })).toHaveLength(2);
  });
});
