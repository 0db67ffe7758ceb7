import { CredentialsError, CriError } from "../errors.js";
import { sanitize } from "../internal/redact.js";
import { ProgramFailure, type ProgramResult, runProgram } from "./run-program.js";
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
    const { file, args, input } = helper;
    const left = leftMs();
    const timeoutMs = Math.max(0, Math.min(left, this.#settings.timeoutMs));
    try {
      return await runProgram({ file, args, input, env: { ...this.#settings.env, ...helper.env }, timeoutMs, signal });
    } catch (error) {
      if (!(error instanceof ProgramFailure)) throw error;
      const failure = failed(helper, error.reason);
      if (leftMs() > 0) throw failure;
      throw new CriError({ code: "DEADLINE_EXCEEDED", message: failure.details });
    }
  }
}

/** Creates the error of a helper program that failed. */
export function failed({ file, registry, source }: HelperRun, reason: string): CredentialsError {
  return new CredentialsError({
    source,
    registry,
    message: `${file}, which has the credentials for ${registry}, ${reason} (${source})`,
  });
}

/** Describes a program that ended with an error. Leaves out output that may contain credentials. */
export function describeExit({ exitCode }: ProgramResult, output: string): string {
  const [line = ""] = output.trim().split(/\r?\n/, 1);
  const isSafe = line !== "" && !/["'{]\s*\w+["']\s*:/.test(output);
  const end = exitCode === undefined ? "was killed by a signal" : `failed with exit code ${exitCode}`;
  return isSafe ? `${end}: ${sanitize(line).slice(0, 300)}` : end;
}
