import { inspect, isDeepStrictEqual } from "node:util";
import { CredentialsError } from "../errors.js";
import { checkCallOptions, checkOptions, checkTimeout, type FieldsOf } from "../input/call-options.js";
import { absolutePath, isSet, list, nonEmptyStrings } from "../input/check.js";
import { ObjectReader } from "../input/object-reader.js";
import type { CallOptions } from "../options.js";
import { type PullSecret, readPullSecret } from "../specs/credentials/pull-secret.js";
import { imageReference, splitReference } from "../specs/image-ref.js";
import { readConfigFiles, readProviderConfigs } from "./config-files.js";
import { DockerFile, PullSecrets } from "./docker-source.js";
import { helperEnvironment } from "./helper-environment.js";
import { HelperRunner } from "./helper-runner.js";
import { PluginSource } from "./plugin-source.js";
import type { CredentialsMatch, CredentialsSource, LookupLimits } from "./source.js";

/** The credential provider plugins of a kubelet. */
export interface CredentialPlugins {
  /**
   * The CredentialProviderConfig of the kubelet's `--image-credential-provider-config`: a file, or a directory of JSON and YAML
   * files. Providers with `tokenAttributes` are refused.
   */
  config: string;
  /** The directory of the programs: the kubelet's `--image-credential-provider-bin-dir`. */
  binDir: string;
}

/** Where {@link RegistryCredentials.load} gets credentials from. The sources are tried in the order of a kubelet: as listed here. */
export interface RegistryCredentialsOptions {
  /** Pull secrets of Kubernetes. Helper programs in them are not run. */
  secrets?: readonly PullSecret[] | undefined;
  /**
   * Configuration files of Docker or Podman: `config.json`, `auth.json`, `.dockercfg`. They must exist. Their helper programs
   * (`credHelpers`, `credsStore`) are run when an image needs them.
   *
   * @defaultValue the files of this user that exist: `$DOCKER_CONFIG/config.json`, or else `~/.docker/config.json`, or else
   *   `~/.dockercfg`; then `$REGISTRY_AUTH_FILE`, or else `$XDG_RUNTIME_DIR/containers/auth.json` and
   *   `~/.config/containers/auth.json`
   */
  files?: readonly string[] | undefined;
  /** The credential provider plugins of a kubelet. */
  plugins?: CredentialPlugins | undefined;
  /** The time limit of each helper program and plugin, in milliseconds. @defaultValue 60,000, as in a kubelet */
  helperTimeoutMs?: number | undefined;
  /**
   * Names of further environment variables for helper programs and plugins, such as `AWS_PROFILE`.
   *
   * @defaultValue only variables such as `PATH`, `HOME`, `XDG_…` and `HTTPS_PROXY`
   */
  passEnv?: readonly string[] | undefined;
  /** The environment that has the variables above. @defaultValue `process.env` */
  env?: NodeJS.ProcessEnv | undefined;
}

const optionFields: FieldsOf<RegistryCredentialsOptions> = {
  secrets: true,
  files: true,
  plugins: true,
  helperTimeoutMs: true,
  passEnv: true,
  env: true,
};

/** Options of {@link RegistryCredentials.lookup}. */
export type LookupOptions = Pick<CallOptions, "signal" | "timeoutMs" | "deadline">;

/** The maximum number of different credentials that a pull tries. A malicious pull secret may have thousands. */
const maxMatches = 50;

const lookupFields: FieldsOf<LookupOptions> = { signal: true, timeoutMs: true, deadline: true };

/** A source of credentials, without them. */
export interface CredentialsSourceInfo {
  /** A path, the names of pull secrets, or the name of a plugin. */
  readonly source: string;
  /** The keys and patterns of the registries that it names. A `credsStore` may have credentials for others. */
  readonly registries: readonly string[];
}

/**
 * Credentials for registries from configuration files of Docker and Podman, pull secrets and kubelet plugins. Pass it as `auth` to
 * each method that pulls. The client then tries all credentials that match the image, in the order of a kubelet, until the registry
 * accepts one of them.
 *
 * ```ts
 * const credentials = await RegistryCredentials.load();
 * await cri.images.pull("registry.example/team/app:1", { auth: credentials });
 * ```
 *
 * An image is never silently pulled without credentials if a source names its registry: if its credentials cannot be obtained, the
 * pull is refused with a {@link CredentialsError}. `util.inspect` and `JSON.stringify` show sources and registries, no credentials.
 */
export class RegistryCredentials {
  readonly #sources: readonly CredentialsSource[];

  private constructor(sources: readonly CredentialsSource[]) {
    this.#sources = sources;
  }

  /**
   * Reads configuration files and pull secrets, by default the files of this user. The files are read once: load again to see
   * changes. Helper programs and plugins are run when an image needs them.
   *
   * @throws InvalidInputError if a file cannot be read or is malformed
   */
  static async load(options: RegistryCredentialsOptions = {}): Promise<RegistryCredentials> {
    checkOptions(options, optionFields);
    const { files: paths, plugins, helperTimeoutMs = 60_000, passEnv, env = process.env } = options;
    checkTimeout(helperTimeoutMs, "helperTimeoutMs");
    const secrets = readSecrets(options.secrets ?? []);
    const names = nonEmptyStrings(passEnv, "passEnv");
    const checked = isSet(paths) ? nonEmptyStrings(paths, "files") : undefined;
    const runner = new HelperRunner({
      env: helperEnvironment(env, names),
      timeoutMs: helperTimeoutMs || Number.POSITIVE_INFINITY,
    });
    const files = (await readConfigFiles(checked, env)).map(({ path, config }) => new DockerFile(path, config, runner));
    return new RegistryCredentials([...secrets, ...files, ...(plugins ? await readPlugins(plugins, runner) : [])]);
  }

  /** Returns credentials from pull secrets only. @throws InvalidInputError if a secret is malformed or has another type */
  static fromSecrets(secrets: readonly PullSecret[]): RegistryCredentials {
    return new RegistryCredentials(readSecrets(secrets));
  }

  /** Returns credentials that try these pull secrets before the sources of this object. @throws InvalidInputError */
  withSecrets(secrets: readonly PullSecret[]): RegistryCredentials {
    return new RegistryCredentials([...readSecrets(secrets), ...this.#sources]);
  }

  /** The sources, in the order in which they are tried. */
  get sources(): CredentialsSourceInfo[] {
    return this.#sources.map(({ name, registries }) => ({ source: name, registries }));
  }

  /**
   * Finds all credentials for an image, in the order in which a pull tries them. Leaves out those that an earlier source
   * has, too. Runs the helper programs and plugins that the image needs. A pull asks a source only after the credentials of the
   * previous ones were refused.
   *
   * @returns an empty array if no source names the registry, or a plugin or `credsStore` answers that it has no credentials. The
   *   image is then pulled without credentials.
   * @throws CredentialsError if a helper program fails, if a source names the registry and none has credentials for it, or if
   *   more than 50 different ones match
   * @throws InvalidInputError if the entry for the registry is malformed
   */
  async lookup(image: string, options: LookupOptions = {}): Promise<CredentialsMatch[]> {
    checkOptions(options, lookupFields);
    const matches: CredentialsMatch[] = [];
    const all = this.candidates(imageReference(image, "image"), options, { renews: false });
    for await (const match of all) matches.push(match);
    return matches;
  }

  /**
   * @internal Finds the credentials one after the other, and asks each source only when it is needed.
   *
   * @param renews whether to replace credentials that were kept, because the caller continues only after they were refused
   */
  async *candidates(
    image: string,
    options: LookupOptions,
    { renews = true } = {},
  ): AsyncGenerator<CredentialsMatch, void, undefined> {
    checkCallOptions(options);
    const seen: CredentialsMatch[] = [];
    for await (const match of this.#all(image, toLimits(options), renews)) {
      if (seen.some(({ auth }) => isDeepStrictEqual(auth, match.auth))) continue;
      if (seen.push(match) > maxMatches) {
        const { registry } = splitReference(image);
        const message = `more than ${maxMatches} different credentials match ${image}; remove those that it does not need`;
        throw new CredentialsError({ registry, source: match.source, message });
      }
      yield match;
    }
  }

  async *#all(image: string, limits: LookupLimits, renews: boolean): AsyncGenerator<CredentialsMatch, void, undefined> {
    let count = 0;
    let missing: { source: string; why: string } | undefined;
    for (const source of this.#sources) {
      const found = await source.find(image, limits);
      if (found.missing !== undefined) missing ??= { source: source.name, why: found.missing };
      count += found.matches.length;
      yield* found.matches;
      if (renews && found.renew) yield* await found.renew();
    }
    if (count > 0 || missing === undefined) return;
    const { registry } = splitReference(image);
    const { source, why } = missing;
    const message =
      `${source} names ${registry}, but there are no credentials for it: ${why}; ` +
      "log in to the registry, or omit auth to pull without credentials";
    throw new CredentialsError({ registry, source, message });
  }

  toJSON(): { sources: CredentialsSourceInfo[] } {
    return { sources: this.sources };
  }

  [inspect.custom](): object {
    return this.toJSON();
  }
}

function readSecrets(secrets: readonly PullSecret[]): CredentialsSource[] {
  const read = list(secrets, "secrets", readPullSecret);
  return read.length === 0 ? [] : [new PullSecrets(read)];
}

async function readPlugins(plugins: CredentialPlugins, runner: HelperRunner): Promise<CredentialsSource[]> {
  const reader = new ObjectReader(plugins, "plugins", { config: true, binDir: true });
  const binDir = reader.read("binDir", absolutePath);
  const config = reader.read("config", absolutePath);
  return (await readProviderConfigs(config)).map((provider) => new PluginSource(provider, binDir, runner));
}

function toLimits({ signal, timeoutMs, deadline }: LookupOptions): LookupLimits {
  const end = timeoutMs ? performance.now() + timeoutMs : Number.POSITIVE_INFINITY;
  return {
    signal,
    leftMs: () => Math.min(end - performance.now(), (deadline?.getTime() ?? Number.POSITIVE_INFINITY) - Date.now()),
  };
}
