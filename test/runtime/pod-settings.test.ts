/** What a pod gives to its containers: network, names, kernel parameters, processes, handlers. */
import { readlink } from "node:fs/promises";
import { hostname } from "node:os";
import { PodSandboxState } from "k8s-cri-client";
import { expect, test } from "vitest";
import { criFailureOf } from "./helpers/expecting.js";
import { ask } from "./helpers/inside.js";
import { journeys, sh } from "./helpers/journeys.js";

journeys("pods", (bench) => {
  const { cri, runtime, traits } = bench;

  test("a network of its own that the node reaches", async () => {
    await using pod = await bench.pod();
    await using server = await bench.container(pod, {
      command: sh("mkdir /tmp/www && echo hello > /tmp/www/greeting && exec httpd -f -p 8080 -h /tmp/www"),
    });
    const { network } = await pod.status();
    expect(await ask(server, "ip -4 -o address show dev eth0")).toContain(`${network?.ip}/`);
    await ask(server, "until wget -q -O /dev/null http://127.0.0.1:8080/greeting; do sleep 0.05; done");
    const reply = await fetch(`http://${network?.ip}:8080/greeting`);
    expect(await reply.text()).toBe("hello\n");
  });

  test("containers of one pod share its network", async () => {
    await using pod = await bench.pod();
    await using one = await bench.container(pod);
    await using two = await bench.container(pod);
    const kinds = traits.podHasUts ? "net ipc uts" : "net ipc";
    const namespaces = `for kind in ${kinds}; do readlink /proc/self/ns/$kind; done`;
    expect(await ask(one, namespaces)).toBe(await ask(two, namespaces));
    expect(await ask(one, "readlink /proc/self/ns/net")).not.toBe(await readlink("/proc/self/ns/net"));
  });

  test("the node's network, with the node's name", async () => {
    await using pod = await bench.pod({ hostNetwork: true });
    await using container = await bench.container(pod);
    expect(await ask(container, "readlink /proc/self/ns/net")).toBe(await readlink("/proc/self/ns/net"));
    expect(await ask(container, "hostname")).toBe(hostname());
    expect((await pod.status()).linux?.namespaces?.options?.network).toBe(2);
  });

  test("host name: the spec's, else one made from the pod's name", async () => {
    await using named = await bench.pod({ hostname: "given-name" });
    await using container = await bench.container(named);
    expect(await ask(container, "hostname; cat /etc/hostname")).toBe("given-name\ngiven-name");
    await using unnamed = await bench.pod({ name: traits.anyPodName ? "some.pod_name" : "some.pod-name" });
    await using other = await bench.container(unnamed);
    expect(await ask(other, "hostname")).toMatch(/^some[.-]pod-name$/);
  });

  test("resolv.conf says what the spec's DNS says", async () => {
    await using pod = await bench.pod({
      dns: {
        servers: ["192.0.2.53", "2001:db8::53"],
        searches: ["one.example", "two.example"],
        options: ["ndots:5", "timeout:1"],
      },
    });
    await using container = await bench.container(pod);
    const lines = (await ask(container, "cat /etc/resolv.conf")).split("\n");
    expect(lines).toEqual(
      expect.arrayContaining([
        "search one.example two.example",
        "nameserver 192.0.2.53",
        "nameserver 2001:db8::53",
        "options ndots:5 timeout:1",
      ]),
    );
  });

  test("kernel parameters of its namespaces", async () => {
    await using pod = await bench.pod({
      sysctls: { "net.ipv4.ip_unprivileged_port_start": "81", "kernel.shm_rmid_forced": "1" },
    });
    await using container = await bench.container(pod);
    const files = "/proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/shm_rmid_forced";
    expect(await ask(container, `cat ${files}`)).toBe("81\n1");
  });

  test("processes: apart by nature, shared in the pod, of one container, or the node's", async () => {
    const count = "ls -d /proc/[0-9]* | wc -l";
    await using pod = await bench.cheapPod();
    await using main = await bench.container(pod, { command: ["/bin/sleep", "4242"] });
    await using apart = await bench.container(pod);
    const seesMain = async (container: typeof apart) =>
      (await ask(container, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")).includes("sleep 4242");
    expect(await seesMain(apart)).toBe(false);
    expect(await ask(apart, "tr '\\0' ' ' < /proc/1/cmdline")).toBe("/bin/sleep infinity");
    await using beside = await bench.container(pod, { processes: { target: main.id } });
    expect(await seesMain(beside)).toBe(true);
    await using nodePod = await bench.cheapPod({ hostPID: true });
    await using ofNode = await bench.container(nodePod);
    expect(await seesMain(ofNode)).toBe(true);
    expect(Number(await ask(ofNode, count))).toBeGreaterThan(Number(await ask(apart, count)));
    await using alone = await bench.container(nodePod, { processes: "container" });
    expect(await seesMain(alone)).toBe(false);

    await using sharing = await bench.cheapPod({ shareProcessNamespace: true });
    await using one = await bench.container(sharing, { command: ["/bin/sleep", "4242"] });
    await using two = await bench.container(sharing);
    expect(await seesMain(two)).toBe(true);
    expect(await ask(one, "readlink /proc/self/ns/pid")).toBe(await ask(two, "readlink /proc/self/ns/pid"));
  });

  test("the node's IPC", async () => {
    await using pod = await bench.cheapPod({ hostIPC: true });
    await using container = await bench.container(pod);
    expect(await ask(container, "readlink /proc/self/ns/ipc")).toBe(await readlink("/proc/self/ns/ipc"));
  });

  test.skipIf(!runtime.lab)("a runtime handler other than the default one", async () => {
    const [, handler = ""] = runtime.lab!.handlers;
    await using pod = await bench.cheapPod({ runtimeHandler: handler });
    await using container = await bench.container(pod);
    expect(await ask(container, "echo works")).toBe("works");
    expect((await pod.status()).runtimeHandler).toBe(handler);
    expect((await cri.pods.list({ id: pod.id }))[0]?.runtimeHandler).toBe(handler);
  });

  test("a runtime handler that does not exist", async () => {
    const spec = bench.podSpec({ runtimeHandler: "no-such-handler" });
    const failure = await criFailureOf(cri.pods.run(spec));
    expect(failure.message).toContain("no-such-handler");
    expect(await cri.pods.list({ name: spec.name, namespace: bench.namespace })).toEqual([]);
  });

  test("the same pod twice: another uid makes another one, the same uid the same one, on request", async () => {
    const spec = bench.podSpec({ hostNetwork: true });
    await using one = await cri.pods.run(spec);
    await using two = await cri.pods.run(spec);
    expect(two.id).not.toBe(one.id);
    const fixed = { ...spec, uid: `fixed-${bench.namespace}` };
    await using first = await cri.pods.run(fixed);
    const again = await cri.pods.run(fixed, { adopt: true });
    expect(again).toMatchObject({ id: first.id, adopted: true });
    const unasked = await criFailureOf(cri.pods.run(fixed));
    expect(unasked).toMatchObject({ code: "NAME_RESERVED", holderId: first.id });
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
