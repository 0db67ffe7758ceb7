import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { entriesFor, keysFor } from "../specs/credentials/config-key.js";
import type { CredentialProvider } from "../specs/credentials/provider-config.js";
import {
  type ProviderResponse,
  providerRequest,
  readProviderResponse,
} from "../specs/credentials/provider-response.js";
import { redacted } from "../specs/credentials/registry-auth.js";
import { splitReference } from "../specs/image-ref.js";
import { describeExit, failed, type HelperRunner } from "./helper-runner.js";
import { type CredentialsMatch, type CredentialsSource, type Found, type LookupLimits, match } from "./source.js";

/** The maximum number of responses that are kept for a plugin. */
const maxCached = 1_000;

interface Cached {
  readonly entries: ProviderResponse["entries"];
  /** By `performance.now()`. */
  readonly expiresAt: number;
}

/**
 * A credential provider plugin of a kubelet. Keeps its responses as long as they allow. Unlike a kubelet, it fails if the program
 * fails, instead of pulling without credentials, and asks again if the registry refuses what was kept.
 */
export class PluginSource implements CredentialsSource {
  readonly name: string;
  readonly #provider: CredentialProvider;
  readonly #file: string;
  readonly #runner: HelperRunner;
  /** By repository, registry, or `""` for all images. */
  readonly #cache = new Map<string, Cached>();

  constructor(provider: CredentialProvider, binDir: string, runner: HelperRunner) {
    this.name = `plugin ${provider.name}`;
    this.#provider = provider;
    this.#file = join(binDir, provider.name);
    this.#runner = runner;
  }

  get registries(): readonly string[] {
    return this.#provider.matchImages;
  }

  async find(image: string, limits: LookupLimits): Promise<Found> {
    if (keysFor(image, this.#provider.matchImages).length === 0) return { matches: [] };
    const { registry, repository } = splitReference(image);
    // A kubelet sends and caches the name without tag and digest.
    const name = `${registry}/${repository}`;
    const ask = () => this.#ask(name, registry, limits);
    const kept = this.#cached(name, registry);
    const entries = kept ?? (await ask());
    const matches = this.#matches(image, entries);
    // Without any entry, the plugin reports that the image needs no credentials.
    const missing = entries.length > 0 && matches.length === 0 ? "it returned only some for other images" : undefined;
    if (kept === undefined) return { matches, missing };
    const isNew = (renewed: CredentialsMatch) => !matches.some(({ auth }) => isDeepStrictEqual(auth, renewed.auth));
    return { matches, missing, renew: async () => this.#matches(image, await ask()).filter(isNew) };
  }

  #matches(image: string, entries: ProviderResponse["entries"]): CredentialsMatch[] {
    const { registry: serverAddress } = splitReference(image);
    const found = entriesFor(image, entries);
    return found.map(({ key, auth }) => match(this.name, key, redacted({ ...auth, serverAddress })));
  }

  async #ask(name: string, registry: string, limits: LookupLimits): Promise<ProviderResponse["entries"]> {
    const { apiVersion, args, env, defaultCacheMs } = this.#provider;
    const input = providerRequest(apiVersion, name);
    const helper = { file: this.#file, args, env, input, registry, source: this.name };
    const result = await this.#runner.run(helper, limits);
    if (result.exitCode !== 0) throw failed(helper, describeExit(result, result.stderr));
    const response = readProviderResponse(result.stdout, apiVersion);
    if (typeof response === "string") throw failed(helper, response);
    const key = { Image: name, Registry: registry, Global: "" }[response.scope];
    this.#keep(key, response.entries, response.cacheMs ?? defaultCacheMs);
    return response.entries;
  }

  #cached(...keys: readonly string[]): ProviderResponse["entries"] | undefined {
    const now = performance.now();
    for (const key of [...keys, ""]) {
      const cached = this.#cache.get(key);
      if (cached !== undefined && now < cached.expiresAt) return cached.entries;
    }
    return undefined;
  }

  #keep(key: string, entries: ProviderResponse["entries"], durationMs: number): void {
    if (durationMs <= 0) return;
    this.#cache.delete(key); // so that it becomes the newest entry
    const [oldest] = this.#cache.keys();
    if (this.#cache.size >= maxCached && oldest !== undefined) this.#cache.delete(oldest);
    this.#cache.set(key, { entries, expiresAt: performance.now() + durationMs });
  }
}
