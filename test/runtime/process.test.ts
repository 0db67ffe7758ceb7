/** Settings of a container's main process, as that process sees them. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ContainerState } from "k8s-cri-client";
import { describe, expect, test } from "vitest";
import { expectCode } from "./helpers/expectations.js";
import { folder } from "./helpers/folder.js";
import { outputOf, processStatus, waitForFile } from "./helpers/in-container.js";
import { journeys, sh } from "./helpers/journeys.js";

journeys("process", (fixture) => {
  const { cri, runtime } = fixture;

  test("adds env to the image's variables, with special characters and bytes unchanged and nothing expanded", async () => {
    const bytes = Uint8Array.from({ length: 127 }, (_, index) => index + 1);
    await using at = await folder();
    await using container = await fixture.container(await fixture.sharedPod(), {
      ...at.inside,
      command: ["/bin/cp", "/proc/self/environ", "environ"],
      env: {
        EMPTY: "",
        SPACED: "  a b  ",
        LINES: "one\ntwo\r\n",
        DOLLAR: "$HOME $(id) `id`",
        QUOTES: `'"\\`,
        EQUALS: "a=b=c",
        UNICODE: "grüße ✓ 🚀",
        "odd.name-1": "yes",
        BYTES: bytes,
        LEFT_OUT: undefined,
      },
    });
    await container.wait();
    const seen = new Map(
      split(await readFile(join(at.path, "environ")), 0).map((entry) => {
        const sign = entry.indexOf("=");
        return [entry.subarray(0, sign).toString(), entry.subarray(sign + 1)] as const;
      }),
    );
    const text = (name: string) => seen.get(name)?.toString();
    expect(text("EMPTY")).toBe("");
    expect(text("SPACED")).toBe("  a b  ");
    expect(text("LINES")).toBe("one\ntwo\r\n");
    expect(text("DOLLAR")).toBe("$HOME $(id) `id`");
    expect(text("QUOTES")).toBe(`'"\\`);
    expect(text("EQUALS")).toBe("a=b=c");
    expect(text("UNICODE")).toBe("grüße ✓ 🚀");
    expect(text("odd.name-1")).toBe("yes");
    expect(seen.has("LEFT_OUT")).toBe(false);
    expect(seen.has("PATH")).toBe(true);
    expect(seen.get("BYTES")).toEqual(Buffer.from(bytes));
  });

  test("the later of two env entries with the same name applies", async () => {
    await using container = await fixture.container(await fixture.sharedPod(), {
      env: [
        { name: "TWICE", value: "first" },
        { name: "TWICE", value: "second" },
      ],
    });
    expect(await outputOf(container, 'echo "$TWICE"')).toBe("second");
  });

  test("args go to the image's entry point, command replaces both, and no shell interprets them", async () => {
    const commandLine = async (spec: Parameters<typeof fixture.container>[1]) => {
      await using at = await folder();
      await using container = await fixture.container(await fixture.sharedPod(), { ...at.inside, ...spec });
      await container.wait();
      return (await readFile(join(at.path, "cmdline"), "utf8")).split("\0").slice(0, -1);
    };
    const copy = ["/bin/cp", "/proc/self/cmdline", "cmdline"];
    expect(await commandLine({ command: copy.slice(0, 1), args: copy.slice(1) })).toEqual(copy);
    expect(await commandLine({ command: copy, args: [] })).toEqual(copy);
    // The test image has a command and no entry point: args take the command's place.
    if (runtime.lab) expect(await commandLine({ command: [], args: copy })).toEqual(copy);
    const odd = [...sh("cp /proc/$$/cmdline cmdline; :"), "", "two words", "$HOME", "*", "ü", "--"];
    expect(await commandLine({ command: odd })).toEqual(odd);
  });

  test.skipIf(!runtime.lab)(
    "the image's entry point, command, user, directory and variables are the defaults",
    async () => {
      await using container = await fixture.container(await fixture.sharedPod(), {
        image: runtime.lab!.images.demo,
        command: [],
      });
      expect(await outputOf(container, "tr '\\0' ' ' < /proc/1/cmdline")).toBe(
        "/bin/tini -- /bin/sleep infinity ".trimEnd(),
      );
      expect(await outputOf(container, 'id -u; id -g; pwd; echo "$GREETING"')).toBe("1000\n1000\n/home/app\nhello");
      await using changed = await fixture.container(await fixture.sharedPod(), {
        image: runtime.lab!.images.demo,
        command: [],
        args: ["/bin/sleep", "77"],
      });
      expect(await outputOf(changed, "tr '\\0' ' ' < /proc/1/cmdline")).toBe("/bin/tini -- /bin/sleep 77");
    },
  );

  test("creates a missing working directory", async () => {
    await using container = await fixture.container(await fixture.sharedPod(), { workingDir: "/var/tmp/new folder" });
    expect(await outputOf(container, "readlink /proc/1/cwd; pwd")).toBe("/var/tmp/new folder\n/var/tmp/new folder");
  });

  test("tty gives the process a terminal", async () => {
    await using terminal = await fixture.container(await fixture.sharedPod(), { tty: true });
    await using plain = await fixture.container(await fixture.sharedPod());
    const output = "readlink /proc/1/fd/1; tr '\\0' '\\n' < /proc/1/environ | grep ^TERM || echo no TERM";
    const end = fixture.traits.execSyncHasTerminal ? "\r\n" : "\n";
    expect(await outputOf(terminal, output)).toMatch(new RegExp(`^/dev/pts/\\d+${end}TERM=xterm$`));
    const term = fixture.traits.alwaysSetsTerm ? "TERM=xterm" : "no TERM";
    expect(await outputOf(plain, output)).toMatch(new RegExp(`^pipe:\\[\\d+\\]\\n${term}$`));
  });

  test("standard input is open with stdin: true, and at its end otherwise", async () => {
    await using open = await fixture.container(await fixture.sharedPod(), { stdin: true, command: ["/bin/cat"] });
    await using closed = await fixture.container(await fixture.sharedPod(), { command: ["/bin/cat"] });
    expect((await closed.wait({ timeoutMs: 60_000 })).exitCode).toBe(0);
    expect((await open.status()).state).toBe(ContainerState.CONTAINER_RUNNING);
  });

  describe("stop signals", () => {
    const traps =
      "trap 'exit 10' USR1; trap 'exit 15' TERM; trap 'exit 2' INT; echo > up; while :; do sleep 0.05; done";
    const exitCodeOf = async (spec: Parameters<typeof fixture.container>[1]) => {
      await using at = await folder();
      await using container = await fixture.container(await fixture.sharedPod(), {
        ...at.inside,
        command: sh(traps),
        ...spec,
      });
      await waitForFile(container, "up");
      await container.stop({ gracePeriodSeconds: 30 });
      return (await container.status()).exitCode;
    };

    test("the default is SIGTERM", async () => {
      expect(await exitCodeOf({})).toBe(15);
    });

    test.skipIf(!runtime.lab)("the image's stop signal replaces the default", async () => {
      expect(await exitCodeOf({ image: runtime.lab!.images.demo })).toBe(2);
    });

    test("stopSignal replaces the default on runtimes since Kubernetes 1.33", async () => {
      const code = await exitCodeOf({ stopSignal: "SIGUSR1" });
      // The same release added the update of pod resources.
      const supported = (await cri.capabilities()).updatePodResources;
      expect(code).toBe(supported ? 10 : 15);
    });
  });

  test("patch() changes the messages after all other fields of the spec", async () => {
    await using pod = await fixture.pod({
      hostname: "before",
      patch: (config) => {
        config.hostname = "after";
        config.labels.patched = "pod";
      },
    });
    await using container = await fixture.container(pod, {
      env: { WHO: "before" },
      patch: (config) => {
        config.workingDir = "/tmp";
        config.envs.push({ key: "WHO", value: Buffer.from("after") });
        config.labels.patched = "container";
      },
    });
    expect(await outputOf(container, 'hostname; pwd; echo "$WHO"')).toBe("after\n/tmp\nafter");
    expect((await pod.status()).labels).toMatchObject({ patched: "pod" });
    expect((await container.status()).labels).toMatchObject({ patched: "container" });
    expect(pod.config.hostname).toBe("after");
    expect(container.config.workingDir).toBe("/tmp");
  });

  describe("users and groups", () => {
    const groups = async (container: Parameters<typeof processStatus>[0]) =>
      (await processStatus(container, "Groups"))
        .split(/\s+/)
        .filter(Boolean)
        .map(Number)
        .sort((a, b) => a - b);

    test("runs as a numeric user and group, with supplemental groups", async () => {
      await using container = await fixture.container(await fixture.sharedPod(), {
        security: { runAsUser: 1234, runAsGroup: 2345, supplementalGroups: [3456, 4567] },
      });
      expect(await processStatus(container, "Uid")).toBe("1234\t1234\t1234\t1234");
      expect(await processStatus(container, "Gid")).toBe("2345\t2345\t2345\t2345");
      expect(await groups(container)).toEqual(expect.arrayContaining([3456, 4567]));
      expect(await outputOf(container, "id -u; id -g; echo x > /owned-by-root || echo refused")).toMatch(
        /^1234\n2345\n.*refused$/s,
      );
    });

    test.skipIf(!runtime.lab)("runs as a named user of the image, with the groups of that user", async () => {
      await using container = await fixture.container(await fixture.sharedPod(), {
        security: { runAsUserName: "app" },
      });
      expect(await processStatus(container, "Uid")).toBe("1000\t1000\t1000\t1000");
      expect(await groups(container)).toEqual([1000, 2000]);
    });

    test("containers inherit the user and groups of their pod unless they have their own", async () => {
      await using pod = await fixture.hostNetworkPod({ security: { runAsUser: 1111, supplementalGroups: [7777] } });
      await using inheriting = await fixture.container(pod);
      await using overriding = await fixture.container(pod, { security: { runAsUser: 2222, supplementalGroups: [] } });
      expect(await processStatus(inheriting, "Uid")).toBe("1111\t1111\t1111\t1111");
      expect(await groups(inheriting)).toContain(7777);
      expect(await processStatus(overriding, "Uid")).toBe("2222\t2222\t2222\t2222");
      expect(await groups(overriding)).not.toContain(7777);
    });
  });

  test("a missing program rejects with COMMAND_NOT_FOUND and leaves no container", async () => {
    const pod = await fixture.sharedPod();
    const name = fixture.name("missing");
    const failure = await expectCode(
      fixture.container(pod, { name, command: ["/no/such/program"] }),
      "COMMAND_NOT_FOUND",
    );
    expect(failure.message).toMatch(/no such file or directory|not found/);
    expect(await cri.containers.list({ pod, name })).toEqual([]);
  });
});

function split(data: Buffer, separator: number): Buffer[] {
  const parts: Buffer[] = [];
  for (let start = 0, end = 0; start < data.length; start = end + 1) {
    end = data.indexOf(separator, start);
    if (end === -1) end = data.length;
    parts.push(data.subarray(start, end));
  }
  return parts;
}
