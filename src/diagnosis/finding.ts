/** The name of a check. */
export type DiagnosisCheck =
  | "program"
  | "endpoint"
  | "socket"
  | "other-runtimes"
  | "server"
  | "runtime"
  | "network"
  | "image-service"
  | "handlers"
  | "capabilities"
  | "cgroups"
  | "streaming"
  | "disk"
  | "clock"
  | "kubelet"
  | "pod";

/** What a diagnosis checks, in the order in which it does. */
export const diagnosisChecks: readonly DiagnosisCheck[] = [
  "program",
  "endpoint",
  "socket",
  "other-runtimes",
  "server",
  "runtime",
  "network",
  "image-service",
  "handlers",
  "capabilities",
  "cgroups",
  "streaming",
  "disk",
  "clock",
  "kubelet",
  "pod",
];

/**
 * The outcome of a check. `failure`: the package cannot be used, or only in part. `warning`: it works, but something deserves
 * attention. `skipped`: it could not be checked.
 */
export type FindingStatus = "ok" | "warning" | "failure" | "skipped";

/** What a check found. All values are plain data, fit for JSON. */
export interface Finding {
  readonly check: DiagnosisCheck;
  readonly status: FindingStatus;
  /** What was found, in one sentence. It may contain messages of the runtime, which are not safe for a terminal. */
  readonly found: string;
  /** More about it, one fact each. */
  readonly details: readonly string[];
  /** What to do. Absent if there is nothing to do. */
  readonly remedy?: string;
  /** Commands for a shell on the node that help to do it. */
  readonly commands: readonly string[];
}

/** The parts of a finding that many findings lack. */
export interface FindingExtras {
  readonly details?: readonly string[] | undefined;
  readonly remedy?: string | undefined;
  readonly commands?: readonly string[] | undefined;
}

/** The length at which a finding cuts off a message of a runtime, in characters. */
const maxLength = 1_000;

/** The most details of a finding. */
const maxDetails = 50;

/** Creates a finding. */
export function finding(
  check: DiagnosisCheck,
  status: FindingStatus,
  found: string,
  { details = [], remedy, commands = [] }: FindingExtras = {},
): Finding {
  return {
    check,
    status,
    found: shorten(found),
    details: details.slice(0, maxDetails).map(shorten),
    ...(remedy !== undefined && { remedy }),
    commands,
  };
}

function shorten(message: string): string {
  return message.length > maxLength ? `${message.slice(0, maxLength)}…` : message;
}
