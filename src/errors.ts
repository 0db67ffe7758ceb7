import { inspect } from "node:util";
import type { Status } from "nice-grpc-common";
import { redactForLog, sanitize } from "./internal/redact.js";
import type { Image } from "./proto.js";

/** The gRPC status names that a runtime may answer with. */
export type GrpcErrorCode = Exclude<keyof typeof Status, "OK">;

/**
 * The kind of an error, to compare or switch on. gRPC status names come from the runtime or the transport. The others come from
 * this package:
 *
 * | code | meaning |
 * |---|---|
 * | `INVALID_INPUT` | an argument or option was refused before any I/O |
 * | `INVALID_RESPONSE` | the runtime answered OK, but its reply lacks a field that CRI requires |
 * | `NAME_RESERVED` | another pod or container has the same name, namespace, uid and attempt |
 * | `COMMAND_NOT_FOUND` | the executable does not exist in the container |
 * | `COMMAND_TIMED_OUT` | a command reached its `commandTimeoutSeconds` |
 * | `COMMAND_FAILED` | a command exited with a non-zero code, and `throwOnNonZero` is set |
 * | `NO_ENDPOINT` | discovery found no runtime |
 * | `NO_CREDENTIALS` | a configuration names the registry, but its credentials could not be obtained; nothing was pulled |
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
  | "NO_CREDENTIALS"
  | "CLIENT_CLOSED";

/** The fields of a new {@link CriError}. */
export interface CriErrorInit {
  code: CriErrorCode;
  /**
   * The error message without code, method and endpoint, which the constructor adds. An array is several lines. A line break
   * within a line is shown as `\n`.
   */
  message: string | readonly string[];
  /** The RPC, such as `RuntimeService/ContainerStatus`. */
  method?: string | undefined;
  endpoint?: string | undefined;
  attempts?: number | undefined;
  mayHaveTakenEffect?: boolean | undefined;
  cause?: unknown;
}

// All copies of this package in a process share registered symbols, so that `instanceof` works across them.
const brand = Symbol.for("k8s-cri-client.CriError");

/** Sets the name of an error class and its brand on the prototype. A minifier may rename the class, but not these strings. */
export function nameClass(errorClass: { prototype: Error }, name: string): void {
  for (const key of ["name", brand]) {
    Object.defineProperty(errorClass.prototype, key, { value: name, configurable: true, writable: true });
  }
}

/**
 * The base class of this package's errors. A cancelled call does not reject with it, but with the reason of the signal.
 *
 * `instanceof CriError` and {@link CriError.is} also recognise errors of another copy of this package, such as the CommonJS
 * build next to the ESM build, or another version.
 */
export class CriError extends Error {
  /** The kind of the error. */
  readonly code: CriErrorCode;
  /** The message without code, method and endpoint. */
  readonly details: string;
  /** The RPC, as `Service/Method`; absent when the error did not come from a call. */
  readonly method: string | undefined;
  /** The endpoint that was called. */
  readonly endpoint: string | undefined;
  /** The number of attempts; 0 if the call was never sent. */
  readonly attempts: number;
  /**
   * Whether the call may have taken effect although it failed. `false` guarantees that it has not: nothing was sent, the RPC
   * only reads, or the runtime refused the call. `true` means that you have to check the state of the runtime.
   */
  readonly mayHaveTakenEffect: boolean;
  /** The errors of rolling back earlier steps after this error, or of pulls with other credentials before it; usually empty. */
  readonly suppressed: readonly unknown[] = [];

  static {
    nameClass(CriError, "CriError");
  }

  constructor(init: CriErrorInit) {
    const lines = typeof init.message === "string" ? [init.message] : init.message;
    const details = lines.map(sanitize).join("\n");
    super(
      headline({ code: init.code, method: init.method, details, endpoint: init.endpoint }),
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
   * Returns whether a value is a {@link CriError} and, if codes are given, has one of them. TypeScript then narrows `code` to these
   * codes.
   *
   * ```ts
   * try {
   *   await container.stop();
   * } catch (error) {
   *   if (!CriError.is(error, "UNAVAILABLE", "DEADLINE_EXCEEDED")) throw error;
   *   console.log(error.code, error.mayHaveTakenEffect);
   * }
   * ```
   */
  static is(value: unknown): value is CriError;
  static is<C extends CriErrorCode>(value: unknown, ...codes: readonly C[]): value is CriError & { readonly code: C };
  static is(value: unknown, ...codes: readonly CriErrorCode[]): boolean {
    if (typeof value !== "object" || value === null || !(brand in value)) return false;
    return codes.length === 0 || codes.includes((value as unknown as CriError).code);
  }

  /** @internal Marks this error because an earlier attempt may have taken effect. */
  inDoubt(): this {
    return Object.assign(this, { mayHaveTakenEffect: true });
  }

  /** @internal Adds the RPC and the endpoint, where the code that made this error did not know them. */
  during(origin: { method: string; endpoint: string } | undefined): this {
    const { message, stack, method = origin?.method, endpoint = origin?.endpoint } = this;
    Object.assign(this, { method, endpoint });
    this.message = headline(this);
    // The stack begins with the message of the constructor.
    if (stack !== undefined) this.stack = stack.replace(message, () => this.message);
    return this;
  }

  /** @internal Adds the errors of the rollback to this error. */
  withSuppressed(failures: readonly unknown[]): this {
    return Object.defineProperty(this, "suppressed", { value: failures, enumerable: true });
  }

  // Compares the name for subclasses, so that `instanceof NameReservedError` works across copies, too.
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (Function.prototype[Symbol.hasInstance].call(this, value)) return true;
    if (typeof value !== "object" || value === null) return false;
    const name = (value as { [brand]?: unknown })[brand];
    return this === CriError ? name !== undefined : name === this.prototype.name;
  }
}

/** An argument or option was refused before any I/O; code `INVALID_INPUT`. The error never shows the value of a secret field. */
export class InvalidInputError extends CriError {
  static {
    nameClass(InvalidInputError, "InvalidInputError");
  }
  /** The argument's path, such as `spec.mounts[0].hostPath` or `endpoint`. */
  readonly field: string;

  constructor(init: { field: string; message: string | readonly string[]; value?: unknown; cause?: unknown }) {
    const [first, ...lines] = typeof init.message === "string" ? [init.message] : init.message;
    const value = "value" in init ? `, got ${preview(init.value)}` : "";
    super({ code: "INVALID_INPUT", message: [`${init.field}: ${first}${value}`, ...lines], cause: init.cause });
    // The field may contain a key of the input, which may be a URL with a password.
    this.field = sanitize(init.field);
  }
}

/** A fault of a document. */
export interface DocumentFault {
  /** The path of the field, such as `linux.resources.memory_limit_in_bytes`; "" for the document itself. */
  path: string;
  /** The line of the field, from 1; absent unless the document was given as text. */
  line?: number | undefined;
  /** The column of the field, from 1, in characters; absent unless the document was given as text. */
  column?: number | undefined;
  /** What is wrong, and what to do. It contains no secret value. */
  message: string;
}

/** A document was refused, such as a file of crictl; code `INVALID_INPUT`. Its message lists the faults, one per line. */
export class InvalidDocumentError extends InvalidInputError {
  static {
    nameClass(InvalidDocumentError, "InvalidDocumentError");
  }
  /** All faults, up to a thousand, in the order in which they were found. */
  readonly faults: readonly DocumentFault[];

  /** @param name what the document is, such as `crictl pod config` */
  constructor(
    name: string,
    faults: readonly DocumentFault[],
    {
      remedy,
      file,
    }: {
      /** A last sentence of the message. */
      remedy?: string | undefined;
      /** The path of the document. */
      file?: string | undefined;
    } = {},
  ) {
    const shown = faults.slice(0, maxShownFaults).map((fault) => describeFault(fault, file));
    const rest = faults.length - shown.length;
    const all = [...shown, ...(rest > 0 ? [`and ${rest} more`] : []), ...(remedy === undefined ? [] : [remedy])];
    const lines = [`has ${faults.length} faults:`, ...all.map((line) => `  ${line}`)];
    super({ field: name, message: faults.length === 1 ? all.join("; ") : lines });
    this.faults = faults;
  }
}

/** The number of faults that an error message lists. */
const maxShownFaults = 20;

function describeFault({ path, line, column, message }: DocumentFault, file: string | undefined): string {
  const position =
    line === undefined ? "" : file === undefined ? `line ${line}, column ${column}: ` : `${file}:${line}: `;
  return `${position}${path === "" ? "" : `${path}: `}${message}`;
}

/** The runtime answered OK without a field that CRI requires, such as the id of a new container; code `INVALID_RESPONSE`. */
export class InvalidResponseError extends CriError {
  static {
    nameClass(InvalidResponseError, "InvalidResponseError");
  }
  /** The missing or invalid field of the reply, such as `status.metadata`. */
  readonly field: string;

  constructor(init: Omit<CriErrorInit, "code"> & { field: string }) {
    super({ ...init, code: "INVALID_RESPONSE" });
    this.field = init.field;
  }
}

/**
 * RunPodSandbox or CreateContainer failed because its name is reserved; code `NAME_RESERVED`. Runtimes reserve the name,
 * namespace, uid and attempt of a pod, and the name and attempt of a container within its pod.
 */
export class NameReservedError extends CriError {
  static {
    nameClass(NameReservedError, "NameReservedError");
  }
  /** The id of the pod sandbox or container with this name, if the runtime reports it. */
  readonly holderId: string | undefined;

  constructor(init: Omit<CriErrorInit, "code"> & { holderId: string | undefined }) {
    super({ ...init, code: "NAME_RESERVED" });
    this.holderId = init.holderId;
  }
}

/** Why a pull failed, as far as the runtime reports it. */
export type ImagePullFailure =
  | "NotFound"
  | "Unauthorized"
  | "RegistryUnavailable"
  | "SignatureValidationFailed"
  | "InvalidReference"
  | "Other";

/** PullImage failed. The code is the runtime's. {@link reason} is derived from the code and the runtime's error message. */
export class ImagePullError extends CriError {
  static {
    nameClass(ImagePullError, "ImagePullError");
  }
  /** The reference of the image. */
  readonly image: string;
  readonly reason: ImagePullFailure;

  constructor(init: CriErrorInit & { image: string; reason: ImagePullFailure }) {
    super(init);
    this.image = init.image;
    this.reason = init.reason;
  }
}

/** What `images.pullAll` did with an image. */
export type PullResult = PulledImage | FailedPull | SkippedPull;

/** An image that `images.pullAll` pulled, or that was on the node (`present`). */
export interface PulledImage {
  /** The reference that was given. */
  reference: string;
  state: "pulled" | "present";
  image: Image;
}

/** An image that `images.pullAll` could not pull. */
export interface FailedPull {
  /** The reference that was given. */
  reference: string;
  state: "failed";
  error: CriError;
}

/** An image that `images.pullAll` did not try to pull, because another one failed and `stopOnError` is set. */
export interface SkippedPull {
  /** The reference that was given. */
  reference: string;
  state: "skipped";
}

/** `images.pullAll` could not pull at least one image. The code, RPC and cause are those of the first failure in the list. */
export class ImagePullsError extends CriError {
  static {
    nameClass(ImagePullsError, "ImagePullsError");
  }
  /** The results of all images, in the order of the list. */
  readonly results: readonly PullResult[];

  constructor(init: CriErrorInit & { results: readonly PullResult[] }) {
    super(init);
    this.results = init.results;
  }
}

/**
 * A configuration names a registry, but its credentials could not be obtained: a helper program failed, or has none. Code
 * `NO_CREDENTIALS`. The image was not pulled without credentials. Neither the error nor its cause shows output of the program that
 * may be secret.
 */
export class CredentialsError extends CriError {
  static {
    nameClass(CredentialsError, "CredentialsError");
  }
  /** The host of the registry. */
  readonly registry: string;
  /** The source that names the registry: a path, `Secret namespace/name`, or the name of a plugin. */
  readonly source: string;

  constructor(init: Omit<CriErrorInit, "code"> & { registry: string; source: string }) {
    super({ ...init, code: "NO_CREDENTIALS" });
    this.registry = init.registry;
    this.source = init.source;
  }
}

/** A command exited with a non-zero code, and `throwOnNonZero` is set; code `COMMAND_FAILED`. Has the fields of the result. */
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

/** An endpoint that discovery tried. */
export interface TriedEndpoint {
  endpoint: string;
  /** Where the endpoint was found: an environment variable, a configuration file, or the list of well-known sockets. */
  source: string;
  /** The result, such as `used`, `no such socket` or `permission denied: …`. */
  outcome: string;
}

/** No usable runtime: discovery found none (`NO_ENDPOINT`), or the endpoint does not serve CRI v1. */
export class EndpointError extends CriError {
  static {
    nameClass(EndpointError, "EndpointError");
  }
  /** The endpoints that discovery tried, in order. */
  readonly tried: readonly TriedEndpoint[];

  constructor(init: CriErrorInit & { tried: readonly TriedEndpoint[] }) {
    super(init);
    this.tried = init.tried;
  }
}

function headline({
  code,
  method,
  details,
  endpoint,
}: Pick<CriError, "code" | "method" | "details" | "endpoint">): string {
  return `[${code}]${method ? ` ${method}:` : ""} ${details}${endpoint ? ` (${endpoint})` : ""}`;
}

function preview(value: unknown): string {
  const text =
    typeof value === "string"
      ? JSON.stringify(value)
      : inspect(redactForLog(value), { depth: 1, breakLength: Number.POSITIVE_INFINITY });
  return text.length > 120 ? `${text.slice(0, 117)}…` : text;
}
