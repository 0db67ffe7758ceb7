import { chmod, chown, mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { EndpointError, InvalidInputError } from "../../../src/errors.js";
import type { DiscoverOptions } from "../../../src/transport/discover-options.js";
import { discoverEndpoint, discoverEndpoints } from "../../../src/transport/discovery.js";
import { unixEndpoint } from "../../../src/transport/endpoint.js";
import { skipOnWindows, skipWhere } from "../../support/platform.js";

/** Most tests use a folder as the node, with the sockets and symbolic links of Linux. */
const it = test.skipIf(skipOnWindows("discovery below the root of a Linux node"));

const containerd = "/run/containerd/containerd.sock";
const crio = "/run/crio/crio.sock";

let root: string;
const servers: Server[] = [];
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "disc-"));
  await chmod(root, 0o755);
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
  await rm(root, { recursive: true });
});

/** Creates a listening socket in the node's file system. */
async function listen(path: string): Promise<void> {
  const full = join(root, path);
  await mkdir(dirname(full), { recursive: true });
  const server = createServer((socket) => socket.destroy());
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(full, resolve));
}

async function write(path: string, text: string): Promise<void> {
  const full = join(root, path);
  await mkdir(dirname(full), { recursive: true });
  await writeFile(full, text);
}

function discover(options: DiscoverOptions = {}) {
  return discoverEndpoints({ env: {}, platform: "linux", root, ...options });
}

async function failure(options: DiscoverOptions = {}): Promise<EndpointError> {
  const error = await discover(options).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(EndpointError);
  expect((error as EndpointError).code).toBe("NO_ENDPOINT");
  return error as EndpointError;
}

function outcomeOf(error: EndpointError, path: string): string | undefined {
  return error.tried.find(({ endpoint }) => endpoint === `unix://${root}${path}`)?.outcome;
}

describe("the order of sources", () => {
  const env = { CONTAINER_RUNTIME_ENDPOINT: "/env.sock" };

  it("is environment, configuration file, well-known sockets", async () => {
    await listen(containerd);
    await write("/etc/crictl.yaml", "runtime-endpoint: unix:///file.sock\n");
    expect(await discover({ env })).toMatchObject({
      endpoint: { display: "unix:///env.sock" },
      source: "CONTAINER_RUNTIME_ENDPOINT",
      tried: [{ endpoint: "unix:///env.sock", source: "CONTAINER_RUNTIME_ENDPOINT", outcome: "used" }],
    });
    expect(await discover()).toMatchObject({
      endpoint: { display: `unix://${root}/file.sock` },
      source: join(root, "/etc/crictl.yaml"),
    });
    await rm(join(root, "/etc/crictl.yaml"));
    expect(await discover()).toMatchObject({
      endpoint: { display: `unix://${root}${containerd}` },
      source: "well-known sockets",
    });
  });

  it("does not try other endpoints if a named one does not work", async () => {
    await listen(containerd);
    const probe = () => {
      throw new Error("unexpected probe");
    };
    expect((await discover({ env, probe })).endpoint.display).toBe("unix:///env.sock");
    await write("/etc/crictl.yaml", "runtime-endpoint: unix:///gone.sock\n");
    expect((await discover({ probe })).endpoint.display).toBe(`unix://${root}/gone.sock`);
  });

  it("skips empty variables and empty keys of crictl's configuration", async () => {
    await listen(crio);
    await write("/etc/crictl.yaml", 'runtime-endpoint: ""\nimage-endpoint: ""\ntimeout: 0\n');
    const found = await discover({ env: { CONTAINER_RUNTIME_ENDPOINT: "" } });
    expect(found.endpoint.display).toBe(`unix://${root}${crio}`);
    expect(found.tried.slice(0, 2)).toEqual([
      { endpoint: "", source: "CONTAINER_RUNTIME_ENDPOINT", outcome: "not set" },
      { endpoint: "", source: join(root, "/etc/crictl.yaml"), outcome: "sets no runtime-endpoint" },
    ]);
  });

  it("is the same for discoverEndpoint()", async () => {
    await listen(crio);
    expect(await discoverEndpoint({ env: {}, platform: "linux", root })).toBe(`unix://${root}${crio}`);
    expect(await discoverEndpoint({ env, platform: "linux", root })).toBe("unix:///env.sock");
  });
});

describe("the image service", () => {
  it("has the runtime's endpoint unless a variable or the configuration names another one", async () => {
    await listen(containerd);
    const found = await discover();
    expect(found.imageEndpoint).toBe(found.endpoint);
    expect(found.imageSource).toBe("well-known sockets");

    await write("/etc/crictl.yaml", "image-endpoint: unix:///images.sock\n");
    expect((await discover()).imageEndpoint.display).toBe(`unix://${root}/images.sock`);
    expect(await discover({ env: { IMAGE_SERVICE_ENDPOINT: "/env.sock" } })).toMatchObject({
      endpoint: { display: `unix://${root}${containerd}` },
      imageEndpoint: { display: "unix:///env.sock" },
      imageSource: "IMAGE_SERVICE_ENDPOINT",
    });
  });
});

describe("the image service whose endpoint is known", () => {
  it("is not discovered", async () => {
    await listen(containerd);
    const known = unixEndpoint("/images.sock");
    const options = { env: { IMAGE_SERVICE_ENDPOINT: "no endpoint" }, platform: "linux", root } as const;
    expect((await discoverEndpoints(options, known)).imageEndpoint).toBe(known);
    await expect(discoverEndpoints(options)).rejects.toMatchObject({ field: "IMAGE_SERVICE_ENDPOINT" });
  });
});

describe("the image service of a runtime that the environment names", () => {
  const env = { CONTAINER_RUNTIME_ENDPOINT: "/env.sock" };

  it("is not taken from the configuration file, which may name another runtime", async () => {
    await write("/etc/crictl.yaml", "runtime-endpoint: /other.sock\nimage-endpoint: /other.sock\n");
    const found = await discover({ env });
    expect(found.imageEndpoint.display).toBe("unix:///env.sock");
    expect(found.imageSource).toBe("CONTAINER_RUNTIME_ENDPOINT");
    const both = { ...env, IMAGE_SERVICE_ENDPOINT: "/images.sock" };
    expect((await discover({ env: both })).imageEndpoint.display).toBe("unix:///images.sock");
  });

  it("does not depend on whether that file can be read", async () => {
    await write("/etc/crictl.yaml", "runtime-endpoint: [\n");
    expect((await discover({ env })).imageEndpoint.display).toBe("unix:///env.sock");
    const missing = { ...env, CRI_CONFIG_FILE: join(root, "missing.yaml") };
    expect((await discover({ env: missing })).imageEndpoint.display).toBe("unix:///env.sock");
  });
});

describe("an invalid endpoint", () => {
  it("is reported with the variable, or with the file and key", async () => {
    const env = { CONTAINER_RUNTIME_ENDPOINT: "run/x.sock" };
    await expect(discover({ env })).rejects.toMatchObject({
      field: "CONTAINER_RUNTIME_ENDPOINT",
      code: "INVALID_INPUT",
    });
    const image = { CONTAINER_RUNTIME_ENDPOINT: "/x.sock", IMAGE_SERVICE_ENDPOINT: "tcp://h:1" };
    await expect(discover({ env: image })).rejects.toMatchObject({ field: "IMAGE_SERVICE_ENDPOINT" });
    expect((await discover({ env: image, allowInsecureTcp: true })).imageEndpoint.display).toBe("http://h:1");

    await write("/etc/crictl.yaml", "runtime-endpoint: unix://run/x.sock\n");
    await expect(discover()).rejects.toMatchObject({ field: `runtime-endpoint in ${root}/etc/crictl.yaml` });
    await write("/etc/crictl.yaml", "runtime-endpoint: [\n");
    await expect(discover()).rejects.toBeInstanceOf(InvalidInputError);
    await expect(discover({ configPath: join(root, "missing.yaml") })).rejects.toThrow(/does not exist/);
  });

  it("does not apply the root to the sockets in a configuration file that was named", async () => {
    await write("/my.yaml", "runtime-endpoint: /x.sock\n");
    expect((await discover({ configPath: join(root, "my.yaml") })).endpoint.display).toBe("unix:///x.sock");
    expect((await discover({ env: { CRI_CONFIG_FILE: join(root, "my.yaml") } })).endpoint.display).toBe(
      "unix:///x.sock",
    );
  });
});

describe("well-known sockets", () => {
  it("are used by priority, without waiting for later ones", async () => {
    await listen("/run/k3s/containerd/containerd.sock");
    await listen(crio);
    const found = await discover();
    expect(found.endpoint.display).toBe(`unix://${root}${crio}`);
    expect(found.tried.map(({ endpoint, outcome }) => [endpoint.slice(`unix://${root}`.length), outcome])).toEqual([
      ["", "not set"],
      ["", "no such file"],
      [containerd, "no such socket"],
      [crio, "used: accepts connections, but does not answer Version: UNAVAILABLE"],
      ["/var/run/cri-dockerd.sock", "not waited for"],
      ["/run/k3s/containerd/containerd.sock", "not waited for"],
      ["/run/k0s/containerd.sock", "not waited for"],
      ["/var/snap/microk8s/common/run/containerd.sock", "not waited for"],
    ]);
  });

  it("differ by platform", async () => {
    const seen: string[] = [];
    const probe: DiscoverOptions["probe"] = async ({ display }) => {
      seen.push(display);
      return { reachable: false, outcome: "no" };
    };
    await failure({ platform: "win32", env: { USERPROFILE: "C:\\nowhere" }, probe, root: undefined });
    await failure({ platform: "freebsd", probe });
    expect(seen).toEqual([
      "npipe:////./pipe/containerd-containerd",
      "npipe:////./pipe/cri-dockerd",
      `unix://${root}/var/run/containerd/containerd.sock`,
      `unix://${root}/var/run/crio/crio.sock`,
      `unix://${root}/var/run/cri-dockerd.sock`,
    ]);
  });

  it("are probed at the same time, and the first in the list is used even if it answers last", async () => {
    const answers: (() => void)[] = [];
    const probe: DiscoverOptions["probe"] = () =>
      new Promise((resolve) => {
        answers.push(() => resolve({ reachable: true, speaksCri: true, outcome: "answers" }));
        // All sockets answer only after the last probe has started, in reverse order.
        if (answers.length === 6) for (const answer of answers.toReversed()) answer();
      });
    expect((await discover({ probe })).endpoint.display).toBe(`unix://${root}${containerd}`);
  });

  it("do not delay an earlier one in the list, and their probes are aborted", async () => {
    const signals: AbortSignal[] = [];
    const probe: DiscoverOptions["probe"] = ({ path }, signal) => {
      signals.push(signal);
      return path.endsWith(containerd)
        ? Promise.resolve({ reachable: true, speaksCri: true, outcome: "answers" })
        : new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    };
    expect((await discover({ probe, probeTimeoutMs: 3_600_000 })).endpoint.display).toBe(`unix://${root}${containerd}`);
    expect(signals).toHaveLength(6);
    expect(signals.every(({ aborted }) => aborted)).toBe(true);
  });

  it("without CRI are skipped, but not those that do not answer", async () => {
    const answers: Record<string, boolean | undefined> = { [containerd]: false, [crio]: true };
    const probe: DiscoverOptions["probe"] = async ({ path }) => {
      const at = path.slice(root.length);
      return { reachable: at in answers, speaksCri: answers[at], outcome: `${answers[at]}` };
    };
    expect((await discover({ probe })).endpoint.display).toBe(`unix://${root}${crio}`);
    answers[containerd] = undefined;
    const { endpoint, tried } = await discover({ probe });
    expect(endpoint.display).toBe(`unix://${root}${containerd}`);
    expect(tried.slice(2, 4).map(({ outcome }) => outcome)).toEqual(["used: undefined", "not waited for"]);
    delete answers[containerd];
    delete answers[crio];
    await failure({ probe });
  });

  it("are reported with the kind of file if they are no sockets", async () => {
    await mkdir(join(root, containerd), { recursive: true });
    await write(crio, "");
    const error = await failure();
    expect(outcomeOf(error, containerd)).toMatch(/not a socket but a directory/);
    expect(outcomeOf(error, crio)).toBe("not a socket but a regular file");
  });

  it("left behind by a dead runtime are skipped", async () => {
    await leaveBehind(containerd);
    await listen(crio);
    const found = await discover();
    expect(found.endpoint.display).toBe(`unix://${root}${crio}`);
    expect(found.tried[2]?.outcome).toBe("no process listens: a runtime that has stopped left the socket behind");
  });
});

describe("options", () => {
  it.each([
    [{ probeTimeoutMs: 0 }, "probeTimeoutMs: must be more than 0"],
    [{ probeTimeoutMs: -1 }, "probeTimeoutMs: must be a number"],
    [{ root: "" }, "root: must be an absolute path"],
    [{ root: "host" }, "root: must be an absolute path"],
    [{ signal: {} as AbortSignal }, "signal: must be an AbortSignal"],
  ])("%o is refused", async (options, message) => {
    await expect(discover(options)).rejects.toThrow(message);
    await expect(discover(options)).rejects.toMatchObject({ code: "INVALID_INPUT", field: Object.keys(options)[0] });
  });

  it("include a signal that cancels discovery with its reason", async () => {
    const reason = new Error("enough");
    const controller = new AbortController();
    const probe: DiscoverOptions["probe"] = () => {
      controller.abort(reason);
      return new Promise(() => {});
    };
    await expect(discover({ probe, signal: controller.signal })).rejects.toBe(reason);
    await expect(discover({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

describe("symbolic links below a root", () => {
  const dockerd = "/var/run/cri-dockerd.sock";

  it("are resolved as on the node", async () => {
    await listen("/run/cri-dockerd.sock");
    await mkdir(join(root, "var"));
    await symlink("/run", join(root, "var/run"));
    expect((await discover()).endpoint.display).toBe(`unix://${root}/run/cri-dockerd.sock`);

    await rm(join(root, "var/run"));
    await symlink("../../../../../../../../../../run/.", join(root, "var/run"));
    expect((await discover()).endpoint.display, "the root has no parent").toBe(`unix://${root}/run/cri-dockerd.sock`);
  });

  it("are followed for the configuration file and the sockets that it names", async () => {
    await write("/etc/static/crictl.yaml", "runtime-endpoint: /linked/x.sock\n");
    await symlink("/etc/static/crictl.yaml", join(root, "etc/crictl.yaml"));
    await mkdir(join(root, "real"));
    await write("/real/x.sock", "");
    await symlink("/real", join(root, "linked"));
    const found = await discover();
    expect(found.endpoint.display).toBe(`unix://${root}/real/x.sock`);
    expect(found.source).toBe(join(root, "etc/static/crictl.yaml"));
  });

  it("never lead out of the root", async () => {
    const outside = await mkdtemp(join(tmpdir(), "else-"));
    onTestFinished(() => rm(outside, { recursive: true }));
    const path = join(outside, "x.sock");
    const server = createServer((socket) => socket.destroy());
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(path, resolve));
    await writeFile(join(outside, "crictl.yaml"), `runtime-endpoint: ${path}\n`);
    const up = "../".repeat(20);
    await mkdir(join(root, "etc"));
    await mkdir(join(root, "run/containerd"), { recursive: true });
    for (const prefix of ["", up, `missing/${up}`, `/missing/${up}`, "/run/../.."]) {
      for (const [link, target] of [
        ["run/crio", outside],
        ["run/containerd/containerd.sock", path],
        ["etc/crictl.yaml", join(outside, "crictl.yaml")],
      ] as const) {
        await rm(join(root, link), { force: true });
        await symlink(prefix + target, join(root, link));
      }
      const error = await failure();
      expect(error.tried.map(({ outcome }) => outcome)).toEqual([
        "not set",
        "no such file",
        ...Array(6).fill("no such socket"),
      ]);
      expect(error.tried.slice(2).filter(({ endpoint }) => !endpoint.startsWith(`unix://${root}/`))).toEqual([]);
    }
  });

  it("of more than 40 steps are not followed out of the root", async () => {
    const outside = await mkdtemp(join(tmpdir(), "else-"));
    onTestFinished(() => rm(outside, { recursive: true }));
    const links = Array.from({ length: 50 }, (_, index) => join(outside, String(index)));
    for (const [index, link] of links.entries()) {
      const next = links[index + 1] ?? "/nowhere";
      await mkdir(dirname(join(root, link)), { recursive: true });
      await symlink(next, join(root, link));
    }
    await writeFile(links[0] as string, "runtime-endpoint: /outside.sock\n");
    await mkdir(join(root, "etc"));
    await symlink(links[0] as string, join(root, "etc/crictl.yaml"));
    await expect(discover()).rejects.toThrow(`${root}/etc/crictl.yaml cannot be read: ELOOP`);
  });

  it("that form a loop are reported", async () => {
    await mkdir(join(root, "var"));
    await symlink("run", join(root, "var/run"));
    expect(outcomeOf(await failure(), dockerd)).toBe("is part of a loop of symbolic links");
    await write("/etc/crictl.yaml", `runtime-endpoint: ${dockerd}\n`);
    await expect(discover()).rejects.toMatchObject({
      field: `runtime-endpoint in ${root}/etc/crictl.yaml`,
      message: expect.stringContaining("is part of a loop of symbolic links"),
    });
  });
});

// Only root can change the owner of files.
describe.skipIf(
  skipWhere(process.geteuid?.() !== 0, "warnings about files of other users, which only root can create"),
)("discovery as root warns about", () => {
  const warnings: Record<string, unknown>[] = [];
  const logger = { warn: (_: string, fields: Record<string, unknown>) => void warnings.push(fields) };
  const config = "/etc/crictl.yaml";
  const warningsOf = async (options: DiscoverOptions = {}) => {
    warnings.length = 0;
    await discover({ logger, ...options });
    return warnings;
  };
  const warning = (path: string, because: string) => [
    {
      path,
      because,
      remedy: expect.stringMatching(/^chown root \S+ and chmod go-w \S+, or name the endpoint in the endpoint option$/),
    },
  ];

  beforeEach(async () => {
    await write("/etc/passwd", "root:x:0:0::/:\nmallory:x:4242:4242::/:\n");
    await write(config, `runtime-endpoint: ${containerd}\n`);
    await listen(containerd);
    await listen(crio);
  });

  it("no file that belongs to root and that others can only read", async () => {
    await chmod(join(root, containerd), 0o777); // allows connecting, not replacing
    expect(await warningsOf()).toEqual([]);
    await chmod(join(root, "etc"), 0o1777); // like /tmp
    await chmod(join(root, config), 0o664); // writable by root's own group
    expect(await warningsOf()).toEqual([]);
    await chown(join(root, config), 4242, 4242);
    expect(await discover()).toMatchObject({ source: join(root, config) }); // without a logger
  });

  it("a configuration file that every user can write to", async () => {
    await chmod(join(root, config), 0o666);
    expect(await warningsOf()).toEqual(warning(config, `${root}${config} belongs to user root and group 0, mode 0666`));
    const configPath = join(root, config);
    expect(await warningsOf({ configPath, root: "/" })).toMatchObject([{ path: configPath }]);
  });

  it("a configuration file of another user, or of another user's group", async () => {
    await chown(join(root, config), 4242, 0);
    expect(await warningsOf()).toEqual(
      warning(config, `${root}${config} belongs to user mallory and group 0, mode 0644`),
    );
    await chown(join(root, config), 0, 4242);
    await chmod(join(root, config), 0o664);
    expect(await warningsOf()).toHaveLength(1);
  });

  it("a directory that other users can write to, also on the path of a link", async () => {
    await chmod(join(root, "etc"), 0o777);
    expect(await warningsOf()).toEqual(warning(config, `${root}/etc belongs to user root and group 0, mode 0777`));
    await rename(join(root, "etc"), join(root, "open"));
    await mkdir(join(root, "closed"));
    await rename(join(root, "open/crictl.yaml"), join(root, "closed/crictl.yaml"));
    await symlink("/closed/crictl.yaml", join(root, "open/crictl.yaml"));
    await symlink("/open", join(root, "etc"));
    expect(await warningsOf()).toMatchObject([{ because: expect.stringContaining(`${root}/open belongs to`) }]);
  });

  it.each(["file", "list", "variable"])("a socket of another user, found through the %s", async (way) => {
    await chown(join(root, containerd), 4242, 4242);
    if (way !== "file") await rm(join(root, config));
    const env = way === "variable" ? { CONTAINER_RUNTIME_ENDPOINT: join(root, containerd) } : {};
    const path = way === "variable" ? join(root, containerd) : containerd;
    const found = await warningsOf({ env, probe: async () => ({ reachable: true, outcome: "answers" }) });
    expect(found).toMatchObject([{ path, because: expect.stringContaining(`${root}${containerd} belongs to user`) }]);
  });
});

describe("a root that makes the paths of sockets too long for the kernel", () => {
  const deep = `/${"x".repeat(90)}`;
  const tooLong = /^is \d+ bytes long; the path of a socket has at most 10[37]$/;

  it("is reported for a well-known socket", async () => {
    const real = join(root, "x.sock");
    const server = createServer((socket) => socket.destroy());
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(real, resolve));
    const folder = join(root, deep, "run/containerd");
    await mkdir(folder, { recursive: true });
    await rename(real, join(folder, "containerd.sock"));
    const error = await failure({ root: join(root, deep) });
    expect(outcomeOf(error, `${deep}${containerd}`)).toMatch(tooLong);
  });

  it("is refused for a socket that the configuration file names", async () => {
    await write(`${deep}/etc/crictl.yaml`, "runtime-endpoint: /run/my-runtime.sock\n");
    await expect(discover({ root: join(root, deep), platform: "linux" })).rejects.toMatchObject({
      code: "INVALID_INPUT",
      field: `runtime-endpoint in ${root}${deep}/etc/crictl.yaml`,
      message: expect.stringMatching(/bytes long; .* mount the node's root at a shorter path/),
    });
  });
});

describe("nothing found", () => {
  it("lists what was tried and what to do", async () => {
    const error = await failure();
    expect(error.tried).toHaveLength(8);
    expect(error.message).toBe(
      [
        "[NO_ENDPOINT] no container runtime found. Tried, in this order:",
        "  CONTAINER_RUNTIME_ENDPOINT: not set",
        `  ${root}/etc/crictl.yaml: no such file`,
        `  unix://${root}/run/containerd/containerd.sock: no such socket`,
        `  unix://${root}/run/crio/crio.sock: no such socket`,
        `  unix://${root}/var/run/cri-dockerd.sock: no such socket`,
        `  unix://${root}/run/k3s/containerd/containerd.sock: no such socket`,
        `  unix://${root}/run/k0s/containerd.sock: no such socket`,
        `  unix://${root}/var/snap/microk8s/common/run/containerd.sock: no such socket`,
        "Start the runtime, or name its endpoint in CONTAINER_RUNTIME_ENDPOINT or the endpoint option. In a container, mount the node's socket.",
      ].join("\n"),
    );
  });
});

describe("no permission", () => {
  const nobody = 65_534;
  const isRoot = process.geteuid?.() === 0;

  /** Runs as a user who owns none of the files, because root has access to all of them. */
  async function unprivileged<T>(run: () => Promise<T>): Promise<T> {
    if (!isRoot) return run();
    process.seteuid?.(nobody);
    try {
      return await run();
    } finally {
      process.seteuid?.(0);
    }
  }

  it("reports the owner of the socket, and how to get access", async () => {
    await write("/etc/passwd", `root:x:0:0::/root:/bin/sh\nowner:x:${process.getuid?.()}:0::/:/bin/sh\n`);
    await write("/etc/group", `root:x:0:\ncri:x:${process.getgid?.() || 4242}:me\n`);
    await listen(containerd);
    await listen(crio);
    await chmod(join(root, containerd), 0o000);
    await chmod(join(root, crio), 0o020 & (isRoot ? 0o020 : 0));
    if (isRoot) await import("node:fs/promises").then((fs) => fs.chown(join(root, crio), 0, 4242));
    const error = await unprivileged(failure);
    expect(error.message).toMatch(
      /^\[NO_ENDPOINT\] no permission to use unix:\S+containerd\.sock or unix:\S+crio\.sock\. Tried/,
    );
    expect(outcomeOf(error, containerd)).toMatch(
      /^permission denied: \S+containerd\.sock belongs to user \w+ and group \w+, mode 0000; run as root$/,
    );
    if (isRoot)
      expect(outcomeOf(error, crio)).toMatch(
        /user root and group cri, mode 0020; run as root, or as a member of group cri$/,
      );
  });

  it("reports the directory that denies access, with numbers for unknown names", async () => {
    await listen(containerd);
    await chmod(join(root, "run"), 0o600);
    const error = await unprivileged(failure).finally(() => chmod(join(root, "run"), 0o700));
    expect(outcomeOf(error, containerd)).toMatch(
      /^permission denied: \S+\/run belongs to user \d+ and group \d+, mode 0600; run as root/,
    );
  });

  it("does not prevent the use of another socket", async () => {
    await listen(containerd);
    await chmod(join(root, containerd), 0o000);
    await listen(crio);
    await chmod(join(root, crio), 0o777);
    const found = await unprivileged(discover);
    expect(found.endpoint.display).toBe(`unix://${root}${crio}`);
    expect(found.tried[2]?.outcome).toMatch(/^permission denied/);
  });

  it("to read the configuration file is an error, because it may name another endpoint", async () => {
    await listen(containerd);
    await write("/etc/crictl.yaml", "debug: true\n");
    await chmod(join(root, "/etc/crictl.yaml"), 0o000);
    await expect(unprivileged(discover)).rejects.toThrow(/crictl\.yaml cannot be read: no permission/);
    const env = { CONTAINER_RUNTIME_ENDPOINT: "/a.sock", IMAGE_SERVICE_ENDPOINT: "/b.sock" };
    expect((await unprivileged(() => discover({ env }))).imageEndpoint.display).toBe("unix:///b.sock");
  });
});

/** Creates the socket file of a killed process, on which no process listens. */
async function leaveBehind(path: string): Promise<void> {
  const { spawnSync } = await import("node:child_process");
  const full = join(root, path);
  await mkdir(dirname(full), { recursive: true });
  const script = `require("node:net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))`;
  spawnSync(process.execPath, ["-e", script, full]);
}
