/**
 * The data that the setup provides to tests. Tests run in other processes, so it must be plain data.
 *
 * @module
 */
import type { FakeFlavor } from "k8s-cri-client/testing";
import type { Lab, LabImages, LabTcp } from "./lab/lab.js";

export interface ProvidedRuntimes {
  /** Empty if there is no runtime to test. */
  runtimes: ProvidedRuntime[];
  /** The reason why {@link runtimes} is empty. */
  skipped?: string;
  /** The runtimes of each worker, instead of {@link runtimes}, if test files run concurrently. */
  byWorker?: ProvidedRuntime[][];
}

/** A runtime to test: one of the lab, the one at `CRI_TEST_ENDPOINT`, or a fake. */
export interface ProvidedRuntime {
  /** For example `containerd-1.7`. For the runtime at `CRI_TEST_ENDPOINT`, the same as `runtimeName`. */
  name: string;
  /** The name that the runtime reports, for example `cri-o`. */
  runtimeName: string;
  /** The version that the runtime reports, for example `1.7.24`. */
  version: string;
  endpoint: string;
  imageEndpoint: string;
  /** An image with a shell and the common command-line tools. */
  image: string;
  /** The resources of the lab, or the equivalents of a fake. Tests that need them are skipped if this is unset. */
  lab?: ProvidedLab;
  /** The runtime that a fake imitates. Unset for a real runtime. */
  flavor?: FakeFlavor;
}

export interface ProvidedLab {
  images: LabImages;
  registry: Lab["registry"];
  privateRegistry: Lab["privateRegistry"];
  registriesFolder: string;
  handlers: string[];
  logFile: string;
  subnet: string;
  tcp?: LabTcp;
  /** Socket of the control server; see control.ts. */
  controlSocket: string;
}

declare module "vitest" {
  export interface ProvidedContext {
    runtimes: ProvidedRuntimes;
  }
}
