/**
 * The process that a runtime of the soak's own lives in, apart from the process that is measured. It tells its parent where the
 * runtime is, and goes away with it when the parent does.
 *
 * @module
 */
import { FakeRuntime, HostProcessBackend } from "k8s-cri-client/testing";
import { labAvailability, parseVersions, startLab } from "../../test/runtime/lab/lab.js";

/** What the parent is told: where the runtime is, or why there is none. */
export type HostMessage = { name: string; endpoint: string; image: string } | { failure: string };

const tell = (message: HostMessage) => process.send?.(message);

/** @param what `fake`, or a version of containerd */
async function open(what: string): Promise<() => Promise<void>> {
  if (what === "fake") {
    const image = "soak:1";
    const runtime = await FakeRuntime.start({ images: [image], backend: new HostProcessBackend() });
    // It keeps a record of all calls, which here nobody reads.
    setInterval(() => runtime.clearCalls(), 1_000).unref();
    tell({ name: `FakeRuntime (${runtime.flavor})`, endpoint: runtime.endpoint, image });
    return () => runtime.stop();
  }
  const availability = labAvailability();
  if (!availability.available) throw new Error(`No containerd on this machine: ${availability.reason}.`);
  const lab = await startLab({ versions: parseVersions(what) });
  const [instance] = lab.instances;
  if (!instance) throw new Error("The lab has no runtime.");
  tell({ name: `${instance.name} (${instance.version})`, endpoint: instance.endpoint, image: lab.images.busybox });
  return () => lab.stop();
}

try {
  const close = await open(process.argv[2] ?? "");
  const end = () => void close().finally(() => process.exit());
  process.once("disconnect", end);
  if (!process.connected) end();
} catch (error) {
  tell({ failure: error instanceof Error ? error.message : String(error) });
  process.exitCode = 1;
  process.disconnect?.();
}
