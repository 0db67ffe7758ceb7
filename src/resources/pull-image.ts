import type { RegistryCredentials } from "../credentials/registry-credentials.js";
import type { CredentialsMatch } from "../credentials/source.js";
import { CredentialsError, CriError, ImagePullError, InvalidInputError } from "../errors.js";
import { linkAbort } from "../internal/abort.js";
import type { CallOptions } from "../options.js";
import type { AuthConfig, ImageSpec, PodSandboxConfig } from "../proto.js";
import { pinDeadline } from "../rpcs/budget.js";
import { pullImage } from "../rpcs/images.js";
import { runtimeName } from "../rpcs/runtime.js";
import { type RegistryAuth, toAuthConfig } from "../specs/credentials/registry-auth.js";
import { splitReference } from "../specs/image-ref.js";
import { asWorkflow } from "../tracing/workflow.js";
import { type Connection, clientClosed } from "../transport/connection.js";

/** An image to pull. */
interface Pull {
  readonly spec: ImageSpec;
  readonly auth: RegistryAuth | RegistryCredentials | undefined;
  readonly podConfig: PodSandboxConfig | undefined;
}

/** Pulls an image (PullImage) with its credentials. Returns the runtime's reference of the image. */
export const pullWithAuth = asWorkflow(
  { name: "images.pull", subject: ([, { spec }]) => ({ image: referenceOf(spec) }) },
  pull,
);

async function pull(connection: Connection, pull: Pull, options: CallOptions): Promise<string> {
  const { spec, auth, podConfig } = pull;
  if (auth && hasLookup(auth)) return pullWithCredentials(connection, pull, auth, pinDeadline(options));
  const config = auth && toAuthConfig(auth, "auth", registryOf(spec));
  const ignored = config && (await ignoredToken(connection, config, options));
  if (ignored !== undefined) {
    throw new InvalidInputError({
      field: `auth.${ignored.field}`,
      message: `is ignored by ${ignored.runtime}, which would pull without credentials; pass username and password`,
    });
  }
  return pullImage(connection, spec, config, podConfig, options);
}

/** Checks credentials for the registry of an image. @throws InvalidInputError */
export function checkAuth(spec: ImageSpec, auth: Pull["auth"], field: string): void {
  if (auth && !hasLookup(auth)) toAuthConfig(auth, field, registryOf(spec));
}

// Not instanceof: the object may come from another copy of this package.
function hasLookup(auth: RegistryAuth | RegistryCredentials): auth is RegistryCredentials {
  return typeof auth === "object" && "candidates" in auth && typeof auth.candidates === "function";
}

/** Returns the reference as written. The messages of a planned pod have it in `image` only, as those of a kubelet. */
function referenceOf({ userSpecifiedImage, image }: ImageSpec): string {
  return userSpecifiedImage || image;
}

function registryOf(spec: ImageSpec): string {
  return splitReference(referenceOf(spec)).registry;
}

/** A token that the runtime ignores, so that it would pull without credentials. */
interface IgnoredToken {
  readonly field: "identityToken" | "registryToken";
  readonly runtime: string;
}

const ignoredBy: Readonly<Record<IgnoredToken["field"], readonly string[]>> = {
  identityToken: ["cri-o"],
  registryToken: ["cri-o", "containerd"],
};

async function ignoredToken(
  connection: Connection,
  auth: AuthConfig,
  options: CallOptions,
): Promise<IgnoredToken | undefined> {
  const field = auth.identityToken ? "identityToken" : auth.registryToken ? "registryToken" : undefined;
  if (field === undefined) return undefined;
  const runtime = await runtimeName(connection, options);
  return runtime !== undefined && ignoredBy[field].includes(runtime) ? { field, runtime } : undefined;
}

/** Credentials that did not lead to a pull. */
interface Attempt {
  readonly match: CredentialsMatch;
  /** Not set if the credentials were not sent. */
  readonly error?: ImagePullError | undefined;
  readonly outcome: string;
}

/** Pulls an image with each of the credentials that match, until the registry accepts one. Without a match, pulls anonymously. */
async function pullWithCredentials(
  connection: Connection,
  { spec, podConfig }: Pull,
  credentials: RegistryCredentials,
  options: CallOptions,
): Promise<string> {
  const attempts: Attempt[] = [];
  try {
    for await (const match of candidates(connection, credentials, referenceOf(spec), options)) {
      const config = toAuthConfig(match.auth, "auth", registryOf(spec));
      const ignored = await ignoredToken(connection, config, options);
      if (ignored !== undefined) {
        attempts.push({ match, outcome: `not sent: ${ignored.runtime} ignores ${ignored.field}` });
        continue;
      }
      try {
        return await pullImage(connection, spec, config, podConfig, options);
      } catch (error) {
        if (!mayNeedOthers(error)) throw error;
        attempts.push({ match, error, outcome: error.reason });
      }
    }
  } catch (error) {
    if (!CriError.is(error) || attempts.length === 0) throw error;
    throw error.withSuppressed(attempts.flatMap((attempt) => attempt.error ?? []));
  }
  if (attempts.length > 0) throw allRefused(spec, attempts);
  try {
    return await pullImage(connection, spec, undefined, podConfig, options);
  } catch (error) {
    throw mayNeedOthers(error) ? withoutCredentials(spec, error, credentials) : error;
  }
}

/** Finds credentials, for as long as the call may take. */
async function* candidates(
  connection: Connection,
  credentials: RegistryCredentials,
  image: string,
  { signal = connection.signal, timeoutMs, deadline }: CallOptions,
): AsyncGenerator<CredentialsMatch, void, undefined> {
  const link = linkAbort(signal, ...connection.closing);
  try {
    yield* credentials.candidates(image, { signal: link.signal, timeoutMs, deadline });
  } catch (error) {
    throw connection.closing.some(({ reason }) => reason === error) ? clientClosed(connection.imageEndpoint) : error;
  } finally {
    link.unlink();
  }
}

/** Returns whether other credentials may help. Registries hide private repositories from others by answering NotFound. */
function mayNeedOthers(error: unknown): error is ImagePullError {
  return error instanceof ImagePullError && ["Unauthorized", "NotFound"].includes(error.reason);
}

/** The maximum number of credentials that an error lists. */
const maxListed = 10;

function allRefused(spec: ImageSpec, attempts: readonly Attempt[]): CriError {
  const registry = registryOf(spec);
  const listed = attempts
    .slice(0, maxListed)
    .map(({ match, outcome }) => `${match.key} in ${match.source} (${outcome})`);
  const more = attempts.length > maxListed ? ` and ${attempts.length - maxListed} more` : "";
  const tried = `${listed.join(", ")}${more}`;
  const errors = attempts.flatMap(({ error }) => error ?? []);
  const last = errors.at(-1);
  if (last === undefined) {
    const message = `the runtime would ignore all credentials for ${registry} and pull without them: ${tried}`;
    return new CredentialsError({ registry, source: attempts[0]?.match.source ?? "", message });
  }
  const message = `${last.details}; no credentials for ${registry} were accepted, tried ${attempts.length}: ${tried}`;
  return pullError(errors.find(({ reason }) => reason === "Unauthorized") ?? last, message, errors);
}

function withoutCredentials(spec: ImageSpec, error: ImagePullError, credentials: RegistryCredentials): ImagePullError {
  const sources = credentials.sources.map(({ source }) => source).join(", ") || "there are none";
  const message = `${error.details}; pulled without credentials, because no source has any for ${registryOf(spec)}: ${sources}`;
  return pullError(error, message, [error]);
}

/** Copies the error of a pull with another message, and the number of attempts of all pulls. */
function pullError(error: ImagePullError, message: string, all: readonly ImagePullError[]): ImagePullError {
  const { code, method, endpoint, image, reason, cause } = error;
  const attempts = all.reduce((sum, each) => sum + each.attempts, 0);
  const mayHaveTakenEffect = all.some((each) => each.mayHaveTakenEffect);
  return new ImagePullError({ code, message, method, endpoint, attempts, mayHaveTakenEffect, cause, image, reason });
}
