import { CredentialsError, CriError } from "../errors.js";
import { sanitize } from "../internal/redact.js";
import type { ProgramResult } from "./run-program.js";
import type { LookupLimits } from "./source.js";

/** The settings of all helper programs. */
export interface HelperSettings {
  readonly env: NodeJS.ProcessEnv;
  readonly timeoutMs: number;
}

/** A helper program for one lookup. */
export interface HelperRun {
  readonly file: string;
  readonly args: readonly string[];
  readonly input: string;
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly registry: string;
  /** The source that names the program. */
  readonly source: string;
}

/** Runs helper programs, and reports their failures as {@link CredentialsError}. */
export class HelperRunner {
  readonly #settings: HelperSettings;

  constructor(settings: HelperSettings) {
    this.#settings = settings;
  }

  async run(helper: HelperRun, { signal, leftMs }: LookupLimits): Promise<ProgramResult> {
    // Loaded on demand: most programs run no helper, and the module of Node.js that starts processes is slow to load.
    const { ProgramFailure, runProgram } = await import("./run-program.js");
    const { file, args, input } = helper;
    const left = leftMs();
    if (left <= 0) throw deadlineExceeded(failed(helper, "was not run, because the deadline had passed"));
    const timeoutMs = Math.min(left, this.#settings.timeoutMs);
    try {
      return await runProgram({ file, args, input, env: { ...this.#settings.env, ...helper.env }, timeoutMs, signal });
    } catch (error) {
      if (!(error instanceof ProgramFailure)) throw error;
      const failure = failed(helper, error.reason);
      throw error.timedOut && timeoutMs === left ? deadlineExceeded(failure) : failure;
    }
  }
}

function deadlineExceeded({ details }: CredentialsError): CriError {
  return new CriError({ code: "DEADLINE_EXCEEDED", message: details });
}

/** Creates the error of a helper program that failed. */
export function failed({ file, registry, source }: HelperRun, reason: string): CredentialsError {
  const message = `${file} ${reason}; ${source} names it for the credentials of ${registry}`;
  return new CredentialsError({ source, registry, message });
}

/** Describes a program that ended with an error. Leaves out output that may contain credentials. */
export function describeExit({ exitCode }: ProgramResult, output: string): string {
  const [line = ""] = output.trim().split(/\r?\n/, 1);
  const isSafe = line !== "" && !/["'{]\s*\w+["']\s*:/.test(output);
  const end = exitCode === undefined ? "was killed by a signal" : `failed with exit code ${exitCode}`;
  return isSafe ? `${end}: ${sanitize(line).slice(0, 300)}` : end;
}
