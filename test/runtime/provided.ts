/**
 * What the setup of the runtime tests hands to the tests, which run in other processes: plain data only.
 *
 * @module
 */
import type { Lab, LabImages, LabTcp } from "./lab/lab.js";

export interface ProvidedRuntimes {
  /** Empty when there is none; then `skipped` says why. */
  runtimes: ProvidedRuntime[];
  skipped?: string;
}

/** A runtime to test against: one of the lab's, or one that the environment names. */
export interface ProvidedRuntime {
  /** E.g. `containerd-1.7`; `external` for one that the environment names. */
  name: string;
  /** As the runtime itself tells, e.g. `1.7.24`. */
  version: string;
  endpoint: string;
  imageEndpoint: string;
  /** An image with a shell and the usual small programs. */
  image: string;
  /** What only the lab has; tests that need it skip themselves without. */
  lab?: ProvidedLab;
}

export interface ProvidedLab {
  images: LabImages;
  registry: Lab["registry"];
  privateRegistry: Lab["privateRegistry"];
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
