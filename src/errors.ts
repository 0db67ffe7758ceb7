import { inspect } from "node:util";
import type { Status } from "nice-grpc-common";
import { harmlessText, redactForLog } from "./internal/redact.js";

/** The gRPC status names a runtime may answer with. */
export type GrpcErrorCode = Exclude<keyof typeof Status, "OK">;

/**
 * What went wrong, as one string to switch on. Upper-case gRPC names are what the runtime (or the transport) answered;
 * the others are decided by this package:
 *
 * | code | meaning |
 * |---|---|
 * | `INVALID_INPUT` | an argument or option was refused before any I/O |
 * | `INVALID_RESPONSE` | the runtime said OK but its reply lacks what the CRI contract demands |
 * | `NAME_RESERVED` | the name, namespace, uid and attempt belong to another pod or container |
 * | `COMMAND_NOT_FOUND` | the container has no such executable to run |
 * | `COMMAND_TIMED_OUT` | a command was killed at its `commandTimeoutSeconds` |
 * | `COMMAND_FAILED` | a command ended with a non-zero exit code and `throwOnNonZero` was asked for |
 * | `NO_ENDPOINT` | discovery found no runtime to talk to |
 * | `CLIENT_CLOSED` | the client was closed before or during the call |
 */
export type CriErrorCode =
  | GrpcErrorCode
  | "INVALID_INPUT"
  | "INVALID_RESPONSE"
  | "NAME_RESERVED"
  | "COMMAND_NOT_FOUND"
  | "COMMAND_TIMED_OUT"
  | "COMMAND_FAILED"
  | "NO_ENDPOINT"
  | "CLIENT_CLOSED";

/** How a {@link CriError} is made. */
export interface CriErrorInit {
  code: CriErrorCode;
  /**
   * The sentence behind the code, without code, method and endpoint: those are put around it. A list is several lines. A line break
   * within a line is shown as `\n`.
   */
  message: string | readonly string[];
  /** `RuntimeService/ContainerStatus` and the like. */
  method?: string | undefined;
  endpoint?: string | undefined;
  attempts?: number | undefined;
  mayHaveTakenEffect?: boolean | undefined;
  cause?: unknown;
}

// Registered symbols are shared by every copy of this package in a process, which is what makes `instanceof` work across them.
const brand = Symbol.for("k8s-cri-client.CriError");

/** Gives a class its name on the prototype, as errors have it, and as the brand: a minifier may rename classes, not strings. */
function nameClass(errorClass: { prototype: Error }, name: string): void {
  for (const key of ["name", brand]) {
    Object.defineProperty(errorClass.prototype, key, { value: name, configurable: true, writable: true });
  }
}

/**
 * The one error of this package. Cancellation is not among its uses: an aborted call rejects with the signal's own reason.
 *
 * `instanceof CriError` and {@link CriError.is} also recognise errors made by another copy of this package
 * (ESM beside CommonJS, two versions in one tree).
 */
export class CriError extends Error {
  /** What went wrong. */
  readonly code: CriErrorCode;
  /** The message without code, method and endpoint. */
  readonly details: string;
  /** The RPC, as `Service/Method`; absent when the error did not come from a call. */
  readonly method: string | undefined;
  /** The endpoint that was called. */
  readonly endpoint: string | undefined;
  /** How many times the call went out; 0 when it never did. */
  readonly attempts: number;
  /**
   * Whether the runtime may have done what it was asked to although the call failed. `false` is a promise: nothing was sent,
   * the RPC only reads, or the runtime refused. `true` means that only a look at the runtime can tell.
   */
  readonly mayHaveTakenEffect: boolean;
  /** Failures met while undoing earlier steps after this error; usually empty. */
  readonly suppressed: readonly unknown[] = [];

  static {
    nameClass(CriError, "CriError");
  }

  constructor(init: CriErrorInit) {
    const lines = typeof init.message === "string" ? [init.message] : init.message;
    const details = lines.map(harmlessText).join("\n");
    const method = init.method ? ` ${init.method}:` : "";
    const endpoint = init.endpoint ? ` (${init.endpoint})` : "";
    super(
      `[${init.code}]${method} ${details}${endpoint}`,
      init.cause === undefined ? undefined : { cause: init.cause },
    );
    this.code = init.code;
    this.details = details;
    this.method = init.method;
    this.endpoint = init.endpoint;
    this.attempts = init.attempts ?? 0;
    this.mayHaveTakenEffect = init.mayHaveTakenEffect ?? false;
    Object.defineProperty(this, "suppressed", { enumerable: false, writable: true, configurable: true });
  }

  /**
   * Whether a value is a {@link CriError}, of one of the given codes if any are given.
   *
   * ```ts
   * if (CriError.is(error, "NOT_FOUND", "NAME_RESERVED")) …
   * ```
   */
  static is(value: unknown, ...codes: readonly CriErrorCode[]): value is CriError {
    if (typeof value !== "object" || value === null || !(brand in value)) return false;
    return codes.length === 0 || codes.includes((value as unknown as CriError).code);
  }

  /** @internal The same error, after it has turned out that an earlier attempt may have taken effect. */
  inDoubt(): this {
    return Object.assign(this, { mayHaveTakenEffect: true });
  }

  /** @internal The same error with what went wrong while undoing. */
  withSuppressed(failures: readonly unknown[]): this {
    return Object.defineProperty(this, "suppressed", { value: failures, enumerable: true });
  }

  // A subclass asks for its own name, so that `instanceof NameReservedError` works across copies too.
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (Function.prototype[Symbol.hasInstance].call(this, value)) return true;
    if (typeof value !== "object" || value === null) return false;
    const name = (value as { [brand]?: unknown })[brand];
    return this === CriError ? name !== undefined : name === this.prototype.name;
  }
}

/** An argument or option that was refused before any I/O; code `INVALID_INPUT`. The value of a secret field is never shown. */
export class InvalidInputError extends CriError {
  static {
    nameClass(InvalidInputError, "InvalidInputError");
  }
  /** The argument's path, such as `spec.mounts[0].hostPath` or `endpoint`. */
  readonly field: string;

  constructor(init: { field: string; message: string; value?: unknown; cause?: unknown }) {
    const value = "value" in init ? `, got ${preview(init.value)}` : "";
    super({ code: "INVALID_INPUT", message: `${init.field}: ${init.message}${value}`, cause: init.cause });
    // A key of the input may be part of it, and a URL with a password may be a key.
    this.field = harmlessText(init.field);
  }
}

/** An OK reply that lacks what the CRI contract demands, such as the id of a container just created; code `INVALID_RESPONSE`. */
export class InvalidResponseError extends CriError {
  static {
    nameClass(InvalidResponseError, "InvalidResponseError");
  }
  /** The missing or wrong field of the reply, such as `status.metadata`. */
  readonly field: string;

  constructor(init: Omit<CriErrorInit, "code"> & { field: string }) {
    super({ ...init, code: "INVALID_RESPONSE" });
    this.field = init.field;
  }
}

/**
 * RunPodSandbox or CreateContainer found its name taken; code `NAME_RESERVED`. Runtimes reserve the name, namespace, uid and
 * attempt of a pod, and the name and attempt of a container within its pod.
 */
export class NameReservedError extends CriError {
  static {
    nameClass(NameReservedError, "NameReservedError");
  }
  /** The id of the pod sandbox or container that holds the name, where the runtime names it. */
  readonly holderId: string | undefined;

  constructor(init: Omit<CriErrorInit, "code"> & { holderId: string | undefined }) {
    super({ ...init, code: "NAME_RESERVED" });
    this.holderId = init.holderId;
  }
}

/** Why a pull failed, as far as the runtime lets on. */
export type ImagePullFailure =
  | "NotFound"
  | "Unauthorized"
  | "RegistryUnavailable"
  | "SignatureValidationFailed"
  | "InvalidReference"
  | "Other";

/** A failed PullImage. Its code is the runtime's; {@link reason} is read from the code and from the text runtimes send. */
export class ImagePullError extends CriError {
  static {
    nameClass(ImagePullError, "ImagePullError");
  }
  /** The reference that was to be pulled. */
  readonly image: string;
  readonly reason: ImagePullFailure;

  constructor(init: CriErrorInit & { image: string; reason: ImagePullFailure }) {
    super(init);
    this.image = init.image;
    this.reason = init.reason;
  }
}

/** A command that ended with a non-zero exit code while `throwOnNonZero` was set; code `COMMAND_FAILED`. Shaped like the result. */
export class ExecError<T extends string | Uint8Array = string | Uint8Array> extends CriError {
  static {
    nameClass(ExecError, "ExecError");
  }
  readonly exitCode: number;
  readonly stdout: T;
  readonly stderr: T;

  constructor(init: Omit<CriErrorInit, "code"> & { exitCode: number; stdout: T; stderr: T }) {
    super({ ...init, code: "COMMAND_FAILED", mayHaveTakenEffect: true });
    this.exitCode = init.exitCode;
    this.stdout = init.stdout;
    this.stderr = init.stderr;
  }
}

/** One endpoint that was tried and what came of it. */
export interface TriedEndpoint {
  endpoint: string;
  /** Where the endpoint came from: an environment variable, a configuration file, the list of well-known sockets. */
  source: string;
  outcome: string;
}

/** No usable runtime: discovery came up empty (`NO_ENDPOINT`) or the endpoint does not serve CRI v1. */
export class EndpointError extends CriError {
  static {
    nameClass(EndpointError, "EndpointError");
  }
  /** What was tried, in order. */
  readonly tried: readonly TriedEndpoint[];

  constructor(init: CriErrorInit & { tried: readonly TriedEndpoint[] }) {
    super(init);
    this.tried = init.tried;
  }
}

function preview(value: unknown): string {
  const text =
    typeof value === "string"
      ? JSON.stringify(value)
      : inspect(redactForLog(value), { depth: 1, breakLength: Number.POSITIVE_INFINITY });
  return text.length > 120 ? `${text.slice(0, 117)}…` : text;
}
