/**
 * The process of a runtime that the soak starts, separate from the measured process. It sends the runtime's endpoint to its parent,
 * and exits with the runtime when the parent exits.
 *
 * @module
 */
import { FakeRuntime, HostProcessBackend } from "k8s-cri-client/testing";
import { labAvailability, parseVersions, startLab } from "../../test/runtime/lab/lab.js";

/** The message to the parent: the runtime, or why it could not be started. */
export type HostMessage = { name: string; endpoint: string; image: string } | { failure: string };

const send = (message: HostMessage) => process.send?.(message);

/** @param what `fake`, or a version of containerd */
async function open(what: string): Promise<() => Promise<void>> {
  if (what === "fake") {
    const image = "soak:1";
    const runtime = await FakeRuntime.start({ images: [image], backend: new HostProcessBackend() });
    // The fake records all calls, which would grow without limit.
    setInterval(() => runtime.clearCalls(), 1_000).unref();
    send({ name: `FakeRuntime (${runtime.flavor})`, endpoint: runtime.endpoint, image });
    return () => runtime.stop();
  }
  const availability = labAvailability();
  if (!availability.available) throw new Error(`no containerd on this machine: ${availability.reason}`);
  const lab = await startLab({ versions: parseVersions(what) });
  const [instance] = lab.instances;
  if (!instance) throw new Error("the lab has no runtime");
  send({ name: `${instance.name} (${instance.version})`, endpoint: instance.endpoint, image: lab.images.busybox });
  return () => lab.stop();
}

try {
  const close = await open(process.argv[2] ?? "");
  const end = () => void close().finally(() => process.exit());
  process.once("disconnect", end);
  if (!process.connected) end();
} catch (error) {
  send({ failure: error instanceof Error ? error.message : String(error) });
  process.exitCode = 1;
  process.disconnect?.();
}
