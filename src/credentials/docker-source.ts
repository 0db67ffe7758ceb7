import { type ConfigEntry, type DockerConfig, matchesIn } from "../specs/credentials/docker-config.js";
import { helperServer, isNotFound, readHelperOutput } from "../specs/credentials/helper.js";
import type { ReadSecret } from "../specs/credentials/pull-secret.js";
import { splitReference } from "../specs/image-ref.js";
import { inFile } from "./config-files.js";
import { describeExit, failed, type HelperRunner } from "./helper-runner.js";
import { type CredentialsMatch, type CredentialsSource, type Found, type LookupLimits, match } from "./source.js";

/** A configuration file of Docker or Podman, whose helper programs are run. */
export class DockerFile implements CredentialsSource {
  readonly name: string;
  readonly #config: DockerConfig;
  readonly #runner: HelperRunner;

  constructor(path: string, config: DockerConfig, runner: HelperRunner) {
    this.name = path;
    this.#config = config;
    this.#runner = runner;
  }

  get registries(): readonly string[] {
    return this.#config.registries;
  }

  async find(image: string, limits: LookupLimits): Promise<Found> {
    const { entries, helper, store } = inFile(this.name, () => ({
      entries: this.#config.entriesFor(image),
      helper: this.#config.helperFor(image),
      store: this.#config.store(),
    }));
    const own = matchesOf(this.name, entries);
    // As in Docker, an empty name means that the registry has no helper, and that the store does not apply to it.
    const program = helper ?? (own.length === 0 ? store : "");
    const fromHelper = program === "" ? undefined : await this.#ask(program, image, limits);
    const matches = fromHelper === undefined ? own : [fromHelper, ...own];
    if (matches.length > 0 || (entries.length === 0 && !helper)) return { matches };
    return { matches, missing: program === "" ? "its entry has no credentials" : `${program} has none` };
  }

  /** Asks a helper program. Returns `undefined` if it has no credentials for the registry. */
  async #ask(file: string, image: string, limits: LookupLimits): Promise<CredentialsMatch | undefined> {
    const { registry } = splitReference(image);
    const input = helperServer(registry);
    const helper = { file, args: ["get"], input, registry, source: this.name };
    const result = await this.#runner.run(helper, limits);
    if (result.exitCode !== 0) {
      if (isNotFound(result.stdout)) return undefined;
      throw failed(helper, describeExit(result, result.stdout || result.stderr));
    }
    const auth = readHelperOutput(result.stdout, registry);
    if (typeof auth === "string") throw failed(helper, auth);
    return auth && match(`${this.name} (${file})`, input, auth);
  }
}

/** Pull secrets. As in a kubelet, the most specific key of all of them is tried first, and no helper program is run. */
export class PullSecrets implements CredentialsSource {
  readonly name: string;
  readonly #secrets: readonly ReadSecret[];

  constructor(secrets: readonly ReadSecret[]) {
    this.name = secrets.map(({ name }) => name).join(", ");
    this.#secrets = secrets;
  }

  get registries(): readonly string[] {
    return this.#secrets.flatMap(({ config }) => config.registries);
  }

  async find(image: string): Promise<Found> {
    const entries = matchesIn(image, this.#secrets);
    const matches = entries.flatMap(({ of, ...entry }) => matchesOf(of.name, [entry]));
    if (matches.length > 0) return { matches };
    const withHelper = this.#secrets.find(({ config }) => config.helperFor(image));
    if (withHelper)
      return { matches, missing: `a helper program of ${withHelper.name} has them, which is not run here` };
    const [empty] = entries;
    return { matches, missing: empty && `the entry ${empty.key} in ${empty.of.name} has no credentials` };
  }
}

function matchesOf(source: string, entries: readonly ConfigEntry[]): CredentialsMatch[] {
  return entries.flatMap(({ key, auth }) => (auth === undefined ? [] : [match(source, key, auth)]));
}
