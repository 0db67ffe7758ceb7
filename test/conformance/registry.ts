/**
 * The registries of the fakes. They contain the same images as in the lab, with the metadata that a fake supports.
 *
 * @module
 */
import type { FakeRuntimeOptions } from "k8s-cri-client/testing";

const publicAddress = "registry.test";

/** Requires {@link password}. */
export const privateRegistry = { address: "private.test" };

export const password = { username: "fake", password: "not-a-secret" };

export const images = {
  busybox: `${publicAddress}/busybox:1`,
  busybox2: `${publicAddress}/busybox:2`,
  pause: `${publicAddress}/pause:1`,
  demo: `${publicAddress}/demo:1`,
  privateBusybox: `${privateRegistry.address}/private/busybox:1`,
};

export const registryOptions: FakeRuntimeOptions = {
  registryImages: [
    { reference: images.busybox, command: ["/bin/sh"] },
    { reference: images.busybox2, command: ["/bin/sh"], env: { EDITION: "2" } },
    {
      reference: images.demo,
      command: ["/bin/sleep", "infinity"],
      env: { GREETING: "hello", EMPTY: "" },
      user: 1000,
      labels: { "example.test/purpose": "tests of image metadata" },
      stopSignal: "SIGINT",
    },
    { reference: images.privateBusybox, command: ["/bin/sh"], env: { EDITION: "private" } },
  ],
  registry: {
    [`${publicAddress}/no/such:*`]: "missing",
    [`${publicAddress}/*:no-such-tag`]: "missing",
    [`${privateRegistry.address}/*`]: password,
    "127.0.0.1:1/*": "unavailable",
    "localhost:1/*": "unavailable",
  },
};
