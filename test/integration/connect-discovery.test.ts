/** How `connect()` without an endpoint uses discovery. */
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { CriClient } from "../../src/index.js";
import { FakeRuntime } from "../../src/testing/index.js";
import { discoverEndpoints } from "../../src/transport/discovery.js";
import { rejection } from "./support.js";

vi.mock("../../src/transport/discovery.js", { spy: true });
afterEach(() => {
  vi.unstubAllEnvs();
  vi.clearAllMocks();
});

test("passes the logger, the signal and the whole time limit to discovery, and no limit for 0", async () => {
  const runtime = await FakeRuntime.start();
  onTestFinished(() => runtime.stop());
  vi.stubEnv("CONTAINER_RUNTIME_ENDPOINT", runtime.endpoint);
  const { signal } = new AbortController();
  const logger = {};
  await using _limited = await CriClient.connect({ connectTimeoutMs: 4_000, signal, logger });
  expect(discoverEndpoints).toHaveBeenLastCalledWith(
    expect.objectContaining({ probeTimeoutMs: 4_000, signal, logger }),
    undefined,
  );
  await using _unlimited = await CriClient.connect({ connectTimeoutMs: 0 });
  expect(discoverEndpoints).toHaveBeenLastCalledWith(expect.objectContaining({ probeTimeoutMs: undefined }), undefined);
});

test("does not discover an image service if imageEndpoint is set", async () => {
  const runtime = await FakeRuntime.start();
  onTestFinished(() => runtime.stop());
  vi.stubEnv("CONTAINER_RUNTIME_ENDPOINT", runtime.endpoint);
  vi.stubEnv("IMAGE_SERVICE_ENDPOINT", "no endpoint");
  await using cri = await CriClient.connect({ imageEndpoint: runtime.endpoint });
  expect(cri.imageEndpoint).toBe(runtime.endpoint);
  expect(await rejection(CriClient.connect())).toMatchObject({ field: "IMAGE_SERVICE_ENDPOINT" });
});

test("rejects invalid options before discovery", async () => {
  const { signal } = new AbortController();
  for (const [options, field] of [
    [{ imageEndpoint: "run/x.sock" }, "imageEndpoint"],
    [{ connectTimeoutMs: -1, signal }, "connectTimeoutMs"],
    [{ signal: {} as AbortSignal }, "signal"],
  ] as const) {
    expect(await rejection(CriClient.connect(options))).toMatchObject({ code: "INVALID_INPUT", field });
  }
  expect(discoverEndpoints).not.toHaveBeenCalled();
});

test("an abort during discovery rejects with the signal's reason", async () => {
  const actual = await vi.importActual<typeof import("../../src/transport/discovery.js")>(
    "../../src/transport/discovery.js",
  );
  const controller = new AbortController();
  vi.mocked(discoverEndpoints).mockImplementationOnce((...given) => {
    const found = actual.discoverEndpoints(...given);
    controller.abort();
    return found;
  });
  const { signal } = controller;
  expect(await rejection(CriClient.connect({ signal }))).toBe(signal.reason);
});
