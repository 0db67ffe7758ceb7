/** The lists that are measured. */
export type ListMethod = "ListContainers" | "ListPodSandbox" | "ListContainerStats";

/** Calls a method, with `inFlight` calls at a time. Figures: milliseconds of each call. */
export interface Calls {
  kind: "calls";
  method: "Version" | ListMethod;
  /** The number of entries of a list. */
  n: number;
  calls: number;
  inFlight: number;
}

/** A task of a measured process. */
export type Task =
  | Calls
  /** Profiles calls. Returns a line for each owner of code, with its part of the CPU time. */
  | { kind: "profile"; of: Calls }
  /** Decodes a reply of ListContainers from memory. Figures: milliseconds of each decoding. */
  | { kind: "decode"; calls: number; inFlight: 1 }
  /** Encodes the request of CreateContainer. Figures: milliseconds of each encoding. */
  | { kind: "encode"; calls: number; inFlight: 1 }
  /** Lists, and measures the delays of the event loop. Figures: see `delays` in `peers/worker.ts`. */
  | { kind: "delay"; method: ListMethod; n: number; calls: number }
  /** Lists repeatedly, then measures memory. Figures: bytes of the process, and of the heap after a garbage collection. */
  | { kind: "memory"; method: ListMethod; n: number; calls: number }
  /** Returns a line for each item of a list, to compare the contents before the measurement. */
  | { kind: "contents"; method: ListMethod; n: number }
  /** Returns a line for each item that "decode" decodes. */
  | { kind: "decoded" }
  /** Returns the bytes of "encode" in base64, as one line. */
  | { kind: "encoded" };

/** The answer of a measured process to a {@link Task}. */
export interface Answer {
  figures?: number[];
  contents?: string[];
  error?: string;
}
