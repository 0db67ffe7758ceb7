/** Security settings of containers, read from the kernel's status of their processes. */
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { capabilityBits, effectiveCapabilities, outputOf, processStatus } from "./helpers/in-container.js";
import { journeys } from "./helpers/journeys.js";

journeys("security", (fixture) => {
  const { cri } = fixture;
  const has = (set: bigint, name: keyof typeof capabilityBits) => ((set >> capabilityBits[name]) & 1n) === 1n;

  test("capabilities: a container has the runtime's default set", async () => {
    const container = await fixture.sharedContainer();
    const set = await effectiveCapabilities(container);
    expect(has(set, "CHOWN")).toBe(true);
    expect(has(set, "NET_BIND_SERVICE")).toBe(true);
    expect(has(set, "NET_ADMIN")).toBe(false);
    expect(has(set, "SYS_ADMIN")).toBe(false);
  });

  test("capabilities: adds and drops those in the spec", async () => {
    await using container = await fixture.container(await fixture.sharedPod(), {
      security: { capabilities: { add: ["NET_ADMIN", "cap_sys_admin"], drop: ["CAP_CHOWN"] } },
    });
    const set = await effectiveCapabilities(container);
    expect(has(set, "NET_ADMIN")).toBe(true);
    expect(has(set, "SYS_ADMIN")).toBe(true);
    expect(has(set, "CHOWN")).toBe(false);
    expect(has(set, "NET_BIND_SERVICE")).toBe(true);
    const { stdout, exitCode } = await container.execSync(["/bin/chown", "1:1", "/tmp"]);
    expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 1 });
  });

  test("capabilities: drops or adds ALL, with exceptions", async () => {
    await using bare = await fixture.container(await fixture.sharedPod(), {
      security: { capabilities: { drop: ["ALL"], add: ["NET_ADMIN"] } },
    });
    expect(await effectiveCapabilities(bare)).toBe(1n << capabilityBits.NET_ADMIN);
    await using none = await fixture.container(await fixture.sharedPod(), {
      security: { capabilities: { drop: ["ALL"] } },
    });
    expect(await effectiveCapabilities(none)).toBe(0n);
    await using all = await fixture.container(await fixture.sharedPod(), {
      security: { capabilities: { add: ["ALL"] } },
    });
    expect(has(await effectiveCapabilities(all), "SYS_ADMIN")).toBe(true);
    await using allButOne = await fixture.container(await fixture.sharedPod(), {
      security: { capabilities: { add: ["ALL"], drop: ["NET_RAW"] } },
    });
    const set = await effectiveCapabilities(allButOne);
    expect(has(set, "SYS_ADMIN")).toBe(true);
    expect(has(set, "NET_RAW")).toBe(false);
  });

  test("seccomp: the profile is that of the container, else that of the pod, else RuntimeDefault", async () => {
    const filter = 2;
    const mode = async (security?: object, pod = fixture.sharedPod()) => {
      await using container = await fixture.container(await pod, { security });
      return Number(await processStatus(container, "Seccomp"));
    };
    expect(await mode()).toBe(filter);
    expect(await mode({ seccomp: "RuntimeDefault" })).toBe(filter);
    expect(await mode({ seccomp: "Unconfined" })).toBe(0);
    await using unconfined = await fixture.hostNetworkPod({ security: { seccomp: "Unconfined" } });
    expect(await mode(undefined, Promise.resolve(unconfined))).toBe(0);
    expect(await mode({ seccomp: "RuntimeDefault" }, Promise.resolve(unconfined))).toBe(filter);
  });

  test("allowPrivilegeEscalation: false sets no_new_privs", async () => {
    await using plain = await fixture.container(await fixture.sharedPod());
    await using restricted = await fixture.container(await fixture.sharedPod(), {
      security: { allowPrivilegeEscalation: false },
    });
    expect(await processStatus(plain, "NoNewPrivs")).toBe("0");
    expect(await processStatus(restricted, "NoNewPrivs")).toBe("1");
  });

  test("kernel paths: are masked and read-only by default, and accessible if the lists are empty", async () => {
    const masked = "wc -c < /proc/timer_list";
    const readOnly = "(: >> /proc/sys/kernel/domainname) 2>&1 && echo writable || true";
    await using usual = await fixture.container(await fixture.sharedPod());
    expect(await outputOf(usual, masked)).toBe("0");
    expect(await outputOf(usual, readOnly)).toContain("Read-only file system");
    await using bare = await fixture.container(await fixture.sharedPod(), {
      security: { maskedPaths: [], readonlyPaths: [], capabilities: { add: ["SYS_ADMIN"] } },
    });
    if (!fixture.traits.unmasksPaths) return;
    expect(Number(await outputOf(bare, masked))).toBeGreaterThan(0);
    expect(await outputOf(bare, readOnly)).toBe("writable");
  });

  test("privileged: has every capability and the node's devices, without seccomp, masked or read-only paths", async () => {
    await using pod = await fixture.hostNetworkPod({ security: { privileged: true } });
    await using container = await fixture.container(pod, { security: { privileged: true } });
    await using plain = await fixture.container(pod);
    const set = await effectiveCapabilities(container);
    expect(has(set, "SYS_ADMIN")).toBe(true);
    const own = /^CapBnd:\t(.*)$/m.exec(await readFile("/proc/self/status", "utf8"))?.[1];
    expect(set & BigInt(`0x${own}`)).toBe(BigInt(`0x${own}`));
    expect(await processStatus(container, "Seccomp")).toBe("0");
    expect(await outputOf(container, "(: >> /proc/sys/kernel/domainname) && echo writable")).toBe("writable");
    expect(await outputOf(container, "mkdir /tmp/m && mount -t tmpfs t /tmp/m && echo mounted")).toBe("mounted");
    const devices = (of: typeof plain) => outputOf(of, "ls -A /dev | wc -l").then(Number);
    expect(await devices(container)).toBeGreaterThan(await devices(plain));
    // A privileged pod does not make its other containers privileged.
    expect(has(await effectiveCapabilities(plain), "SYS_ADMIN")).toBe(false);
  });

  test("rejects a privileged container in an unprivileged pod with INVALID_INPUT", async () => {
    const pod = await fixture.sharedPod();
    const name = fixture.name("refused");
    await expect(fixture.container(pod, { name, security: { privileged: true } })).rejects.toMatchObject({
      code: "INVALID_INPUT",
      field: "spec.security.privileged",
    });
    expect(await cri.containers.list({ pod, name })).toEqual([]);
  });
});
