/**
 * Starts the lab, or connects to an existing runtime, for the tests of this folder.
 *
 * - `CRI_TEST_ENDPOINT` is the endpoint of a runtime to test instead of the lab, for example CRI-O. `CRI_TEST_IMAGE_ENDPOINT` is
 *   the endpoint of its image service, if it differs. `CRI_TEST_IMAGE` is an image with a shell that the runtime can pull.
 * - `CRI_LAB_VERSIONS=2.1` starts only these versions of containerd. `CRI_LAB=off` starts no lab.
 * - `CRI_TEST_REQUIRED=1` fails instead of skipping if there is no runtime. `npm test` then fails for any skipped test.
 *
 * @module
 */
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { serveControl } from "./control.js";
import { type Lab, labAvailability, labVersions, parseVersions, startLab } from "./lab/lab.js";
import { fetchVersion } from "./lab/readiness.js";
import type { ProvidedRuntime, ProvidedRuntimes } from "./provided.js";

export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const provide = (runtimes: ProvidedRuntimes) => project.provide("runtimes", runtimes);
  const endpoint = process.env.CRI_TEST_ENDPOINT;
  if (endpoint) {
    provide({ runtimes: [await external(endpoint)] });
    return undefined;
  }
  const availability = labAvailability();
  if (!availability.available) {
    const skipped = `no runtime to test against: ${availability.reason}`;
    if (process.env.CRI_TEST_REQUIRED) throw new Error(skipped);
    console.warn(`\n!!! RUNTIME TESTS SKIPPED: ${skipped}. Set CRI_TEST_ENDPOINT to test an existing runtime. !!!\n`);
    provide({ runtimes: [], skipped });
    return undefined;
  }
  const chosen = process.env.CRI_LAB_VERSIONS;
  const versions = chosen ? parseVersions(chosen) : labVersions;
  const lab = await startLab({ versions, tcp: { "1.7": "without-cri", "2.1": "cri" } });
  const controlSocket = join(lab.folder, "control.sock");
  const controlled = lab.instances.map(({ name, start, stop, kill, restart }) => ({
    name,
    start,
    stop,
    kill: () => kill("SIGKILL"),
    restart,
  }));
  const control = await serveControl(controlSocket, controlled);
  provide({ runtimes: fromLab(lab, controlSocket) });
  return async () => {
    control.close();
    control.closeAllConnections();
    await lab.stop();
  };
}

async function external(endpoint: string): Promise<ProvidedRuntime> {
  const { runtimeName, runtimeVersion } = await fetchVersion(endpoint, 10_000);
  return {
    name: runtimeName,
    runtimeName,
    version: runtimeVersion,
    endpoint,
    imageEndpoint: process.env.CRI_TEST_IMAGE_ENDPOINT || endpoint,
    image: process.env.CRI_TEST_IMAGE || "docker.io/library/busybox:stable",
  };
}

function fromLab(lab: Lab, controlSocket: string): ProvidedRuntime[] {
  return lab.instances.map(({ name, version, endpoint, handlers, logFile, subnet, tcp }) => ({
    name,
    runtimeName: "containerd",
    version,
    endpoint,
    imageEndpoint: endpoint,
    image: lab.images.busybox,
    lab: {
      images: lab.images,
      registry: lab.registry,
      privateRegistry: lab.privateRegistry,
      registriesFolder: lab.registriesFolder,
      handlers,
      logFile,
      subnet,
      controlSocket,
      ...(tcp && { tcp }),
    },
  }));
}
