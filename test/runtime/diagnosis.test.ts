/** `diagnose` on real runtimes: a healthy one, and one without its network configuration or a plugin; and `run`. */
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CriClient, type Diagnosis, diagnose } from "k8s-cri-client";
import { expect, test } from "vitest";
import { cniDirectoriesIn } from "../../src/specs/runtime-info.js";
import { runCli } from "../support/terminal.js";
import { eventually } from "./helpers/expectations.js";
import { folder } from "./helpers/folder.js";
import { labJourneys, sh } from "./helpers/journeys.js";

const only = ({ findings }: Diagnosis, check: string) => findings.filter((finding) => finding.check === check);
const failures = ({ findings }: Diagnosis) => findings.filter(({ status }) => status === "failure");

labJourneys("diagnosis", (fixture) => {
  const { cri, image } = fixture;
  const { endpoint, version } = fixture.runtime;

  /** The directory of the runtime's network configuration, and its files. */
  async function network(): Promise<{ directory: string; files: string[] }> {
    const { info } = await cri.status({ verbose: true });
    const [directory] = cniDirectoriesIn(info).configuration;
    expect(directory).toBeDefined();
    return { directory: directory as string, files: await readdir(directory as string) };
  }

  const networkIs = (ready: boolean) =>
    eventually(
      () => cri.status(),
      ({ status }) => status?.conditions.find(({ type }) => type === "NetworkReady")?.status === ready,
    );

  test("a healthy runtime passes, also with a pod of its own", async () => {
    await fixture.sharedPod();
    const diagnosis = await diagnose({ endpoint, deep: { image } });
    expect(failures(diagnosis)).toEqual([]);
    expect(only(diagnosis, "runtime")[0]?.found).toContain(version);
    expect(only(diagnosis, "network")[0]?.found).toMatch(/^ready: \/.*\.conflist$/);
    expect(only(diagnosis, "streaming")).toMatchObject([{ status: "ok" }]);
    expect(only(diagnosis, "pod").map(({ status }) => status)).toEqual(Array(8).fill("ok"));
    expect(only(diagnosis, "cgroups")[0]?.found).toMatch(/^driver cgroupfs, cgroup v[12]/);
  });

  test("without its network configuration, the finding has the runtime's message and the way back", async () => {
    const { directory, files } = await network();
    await using away = await folder();
    for (const file of files) await rename(join(directory, file), join(away.path, file));
    try {
      await networkIs(false);
      const diagnosis = await diagnose({ endpoint });
      expect(failures(diagnosis)).toMatchObject([
        { check: "network", details: [`${directory} has no network configuration (*.conflist, *.conf)`] },
      ]);
      expect(failures(diagnosis)[0]?.found).toMatch(/cni plugin not initialized/);
      // A pod of deep needs no network then.
      expect(failures(await diagnose({ endpoint, deep: { image } })).map(({ check }) => check)).toEqual(["network"]);
    } finally {
      // containerd reads the directory again after a write, not after a rename.
      for (const file of files) await writeFile(join(directory, file), await readFile(join(away.path, file)));
      await networkIs(true);
    }
  });

  test("names a plugin that is missing, although the runtime reports that its network is ready", async () => {
    const { directory } = await network();
    const path = join(directory, "00-missing.conflist");
    const plugins = [{ type: "no-such-plugin" }];
    await writeFile(path, JSON.stringify({ cniVersion: "0.4.0", name: "missing", plugins }));
    try {
      const [found] = only(await diagnose({ endpoint }), "network");
      expect(found).toMatchObject({ status: "failure", found: expect.stringMatching(/missing: no-such-plugin$/) });
    } finally {
      await rm(path);
      await networkIs(true);
    }
  });

  test("the command run runs a manifest, and ends with its exit code and without leftovers", async () => {
    await using at = await folder();
    const kubelet = join(at.path, "kubelet.json");
    await mkdir(join(at.path, "logs"));
    const config = { cgroupsPerQOS: false, podLogsDir: join(at.path, "logs") };
    const kind = { apiVersion: "kubelet.config.k8s.io/v1beta1", kind: "KubeletConfiguration" };
    await writeFile(kubelet, JSON.stringify({ ...kind, ...config }));
    await writeFile(join(at.path, "auth.json"), "{}");
    const manifest = join(at.path, "pod.json");
    const command = sh("echo hello; exit 3");
    const pod = {
      ...{ apiVersion: "v1", kind: "Pod", metadata: { name: fixture.name(), namespace: fixture.namespace } },
      spec: { restartPolicy: "Never", hostNetwork: true, containers: [{ name: "main", image, command }] },
    };
    await writeFile(manifest, JSON.stringify(pod));
    const files = ["--kubelet-config", kubelet, "--root-directory", join(at.path, "root")];
    const auth = ["--auth-file", join(at.path, "auth.json")];
    const result = await runCli(["run", "-e", endpoint, ...files, ...auth, "-f", manifest]);
    expect(result).toMatchObject({ exitCode: 3, stdout: "hello\n" });
    expect(await readdir(join(at.path, "root", "pods"))).toEqual([]);
    await using other = CriClient.lazy({ endpoint });
    expect(await other.pods.list({ name: pod.metadata.name })).toEqual([]);
  });
});
