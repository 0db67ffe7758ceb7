/** The lists that are measured. */
export type ListMethod = "ListContainers" | "ListPodSandbox" | "ListContainerStats";

/** What a process that is measured is told to do. */
export type Task =
  /** Calls a method, with that many calls under way at a time; the figures are milliseconds of each call. */
  | { kind: "calls"; method: "Version" | ListMethod; n: number; calls: number; inFlight: number }
  /** Decodes a reply of ListContainers that is there already; milliseconds of each time. */
  | { kind: "decode"; calls: number; inFlight: 1 }
  /** Encodes the request of CreateContainer; milliseconds of each time. */
  | { kind: "encode"; calls: number; inFlight: 1 }
  /** Lists, and looks at the delays of the event loop meanwhile: the longest one and the 99th percentile, in milliseconds. */
  | { kind: "delay"; method: ListMethod; n: number; calls: number }
  /** Lists often, and looks at the memory afterwards: of the whole process, and of the heap after a collection; bytes. */
  | { kind: "memory"; method: ListMethod; n: number; calls: number }
  /** What a list brings, in a line for each item: those who bring something else are not measured. */
  | { kind: "contents"; method: ListMethod; n: number }
  /** The same for what "decode" decodes. */
  | { kind: "decoded" }
  /** The bytes of "encode" in base64, as the only line. */
  | { kind: "encoded" };

/** What a process that is measured says to a {@link Task}. */
export interface Answer {
  figures?: number[];
  contents?: string[];
  error?: string;
}
