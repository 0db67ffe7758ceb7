/**
 * What the setup of the runtime tests hands to the tests, which run in other processes: plain data only.
 *
 * @module
 */
import type { FakeFlavor } from "k8s-cri-client/testing";
import type { Lab, LabImages, LabTcp } from "./lab/lab.js";

export interface ProvidedRuntimes {
  /** Empty when there is none; then `skipped` says why. */
  runtimes: ProvidedRuntime[];
  skipped?: string;
  /** Where test files run side by side: the runtimes of each worker, instead of {@link runtimes}. */
  byWorker?: ProvidedRuntime[][];
}

/** A runtime to test against: one of the lab's, one that the environment names, or a fake. */
export interface ProvidedRuntime {
  /** E.g. `containerd-1.7`; the `runtimeName` for one that the environment names. */
  name: string;
  /** As the runtime reports it, e.g. `cri-o`. */
  runtimeName: string;
  /** As the runtime itself tells, e.g. `1.7.24`. */
  version: string;
  endpoint: string;
  imageEndpoint: string;
  /** An image with a shell and the usual small programs. */
  image: string;
  /** What the lab has, and a fake as far as it can; tests that need it skip themselves without. */
  lab?: ProvidedLab;
  /** What a fake imitates. */
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
  /** Socket of the control server, see control.ts. */
  controlSocket: string;
}

declare module "vitest" {
  export interface ProvidedContext {
    runtimes: ProvidedRuntimes;
  }
}
