import type { CriClient } from "../client.js";
import { CriError } from "../errors.js";
import type { CallOptions } from "../options.js";
import type { StatusResponse, VersionResponse } from "../proto.js";
import { contextOfClient } from "../resources/context.js";
import type { Connection } from "../transport/connection.js";
import type { Endpoint } from "../transport/endpoint.js";
import { resolveUnder } from "../transport/node-root.js";
import { type DiagnosisCheck, type Finding, finding } from "./finding.js";
import type { DeepOptions, DiagnoseOptions } from "./options.js";

/** The options of a diagnosis, with the defaults that all checks need. */
export interface DiagnosisSettings extends Omit<DiagnoseOptions, "deep" | "onFinding"> {
  readonly timeoutMs: number;
  readonly deep: DeepOptions | undefined;
}

/** A runtime that answers, and what it has said about itself. */
export class Subject {
  constructor(
    readonly settings: DiagnosisSettings,
    readonly endpoint: Endpoint,
    readonly cri: CriClient,
    readonly version: VersionResponse,
    /** The verbose status. */
    readonly status: StatusResponse,
  ) {}

  get connection(): Connection {
    return this.cri[contextOfClient].connection;
  }

  get callOptions(): CallOptions {
    return { timeoutMs: this.settings.timeoutMs, signal: this.settings.signal };
  }

  /** Whether the runtime is on this machine, so that its files can be examined. */
  get isLocal(): boolean {
    return this.endpoint.kind === "unix" || this.endpoint.kind === "abstract";
  }

  /** Returns the path at which this process finds a file of the node. */
  onNode(path: string): Promise<string> {
    return resolveUnder(this.settings.root ?? "/", path).catch(() => path);
  }
}

/** Examines one thing of a runtime that answers. May throw CriError, which becomes a failure. */
export type Check = (subject: Subject) => Promise<readonly Finding[]> | readonly Finding[];

/** Runs a check. An error of a call becomes a failure. */
export async function runCheck(name: DiagnosisCheck, check: Check, subject: Subject): Promise<readonly Finding[]> {
  try {
    return await check(subject);
  } catch (error) {
    return [failureOf(name, error, subject.settings.signal)];
  }
}

/** Converts an error to a finding. @throws every error that is no CriError, and the reason of the signal */
export function failureOf(check: DiagnosisCheck, error: unknown, signal: AbortSignal | undefined): Finding {
  signal?.throwIfAborted();
  if (!CriError.is(error)) throw error;
  const call = error.method === undefined ? "" : `${error.method} failed with `;
  return finding(check, "failure", `${call}${error.code}: ${error.details}`, {
    remedy: "Read the log of the runtime for the cause, and restart the runtime if it does not answer any more.",
  });
}
