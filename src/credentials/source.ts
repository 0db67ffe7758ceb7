import type { RegistryAuth } from "../specs/credentials/registry-auth.js";

/** Credentials for an image, with the source that has them. */
export interface CredentialsMatch {
  /** The source: a path, `Secret namespace/name`, or the name of a plugin; with the helper program that was run. */
  readonly source: string;
  /** The key of the entry, such as `registry.example/team`. For a helper program, the name of the registry. */
  readonly key: string;
  /** The credentials, in the form of the `auth` option. `util.inspect` shows them redacted, and `JSON.stringify` leaves them out. */
  readonly auth: RegistryAuth;
}

/** What a source has for an image. */
export interface Found {
  readonly matches: readonly CredentialsMatch[];
  /** Why a source that names the registry has no credentials for it. */
  readonly missing?: string | undefined;
  /** Finds new credentials after the registry refused the matches. Set if they were kept from an earlier answer of a program. */
  readonly renew?: (() => Promise<readonly CredentialsMatch[]>) | undefined;
}

/** The limits of a lookup. */
export interface LookupLimits {
  readonly signal?: AbortSignal | undefined;
  /** The time until the caller's deadline, in milliseconds. */
  readonly leftMs: () => number;
}

/** One place that has credentials. */
export interface CredentialsSource {
  readonly name: string;
  /** The keys and patterns of the registries that it names. */
  readonly registries: readonly string[];
  /** @throws CredentialsError if a program fails; InvalidInputError if an entry is malformed */
  find(image: string, limits: LookupLimits): Promise<Found>;
}

/** Creates a match. */
export function match(source: string, key: string, auth: RegistryAuth): CredentialsMatch {
  const shown = { source, key };
  return Object.defineProperty({ ...shown, auth }, "toJSON", { value: () => shown, enumerable: false });
}
