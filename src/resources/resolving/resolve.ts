import { callOptionFields, checkOptions, type FieldsOf } from "../../input/call-options.js";
import { isSet, nonEmptyStrings, oneOf, optionalString, refuse, requiredString } from "../../input/check.js";
import type { CallOptions } from "../../options.js";
import { startBudget } from "../../rpcs/budget.js";
import { listContainers } from "../../rpcs/containers.js";
import { listPodSandboxes } from "../../rpcs/pods.js";
import type { Connection } from "../../transport/connection.js";
import { type Candidate, candidatesOf, isNamed, latestOf } from "./candidate.js";
import { ambiguousName, noContainers, noSuchName } from "./failures.js";

/** Options of `resolve`. */
export interface ResolveOptions extends CallOptions {
  /** Only pods of this namespace, and their containers. @defaultValue all namespaces */
  namespace?: string | undefined;
}

const fields: FieldsOf<ResolveOptions> = { namespace: true, ...callOptionFields };

/** Options of `resolveAll`. */
export interface ResolveAllOptions extends ResolveOptions {
  /** What the names stand for. @defaultValue pods and containers */
  kind?: "pod" | "container" | undefined;
}

const allFields: FieldsOf<ResolveAllOptions> = { kind: true, ...fields };

const kindsOf: Readonly<Record<string, readonly Candidate["kind"][]>> = { pod: ["pod"], container: ["container"] };

/** Finds one pod or container, as {@link resolveAll} does. */
export async function resolve(
  connection: Connection,
  name: string,
  kinds: readonly Candidate["kind"][],
  options: ResolveOptions = {},
): Promise<Candidate> {
  checkOptions(options, fields);
  const [only] = await find(connection, [requiredString(name, "name")], kinds, options);
  return only as Candidate;
}

/**
 * Finds the pods and containers that a person names: by id, name, or the beginning of an id, in this order. If only containers are
 * wanted, the name of a pod stands for its only container. Lists pods and containers once.
 *
 * @throws CriError `NOT_FOUND` with a similar name, or `FAILED_PRECONDITION` with the candidates
 */
export async function resolveAll(
  connection: Connection,
  names: readonly string[],
  options: ResolveAllOptions = {},
): Promise<Candidate[]> {
  checkOptions(options, allFields);
  const { kind, ...rest } = options;
  if (!isSet(names)) refuse("names", "is required");
  const given = nonEmptyStrings(names, "names");
  const kinds = oneOf(kind, "kind", kindsOf, ["pod", "container"]);
  return given.length === 0 ? [] : find(connection, given, kinds, rest);
}

async function find(
  connection: Connection,
  names: readonly string[],
  kinds: readonly Candidate["kind"][],
  { namespace, ...callOptions }: ResolveOptions,
): Promise<Candidate[]> {
  const wanted = optionalString(namespace, "namespace");
  const budget = startBudget(connection, callOptions, 1);
  const [pods, containers] = await Promise.all([
    listPodSandboxes(connection, undefined, budget.options()),
    listContainers(connection, undefined, budget.options()),
  ]);
  const known = candidatesOf(pods, containers).filter(
    ({ pod }) => wanted === "" || pod?.metadata?.namespace === wanted,
  );
  const resolution = new Resolution(connection, known);
  return names.map((name) => resolution.find(name.replace(/^[a-z][a-z0-9+.-]*:\/\//, ""), kinds));
}

/** Finds objects among those that were listed. */
class Resolution {
  readonly #connection: Connection;
  readonly #known: readonly Candidate[];

  constructor(connection: Connection, known: readonly Candidate[]) {
    this.#connection = connection;
    this.#known = known;
  }

  find(name: string, kinds: readonly Candidate["kind"][]): Candidate {
    const wanted = this.#known.filter(({ kind }) => kinds.includes(kind));
    const exact = wanted.find(({ id }) => id === name);
    if (exact) return exact;
    const named = this.#one(
      name,
      wanted.filter((candidate) => isNamed(candidate, name)),
    );
    if (named) return named;
    const [beginning, ...others] = wanted.filter(({ id }) => id.startsWith(name));
    if (beginning && others.length === 0) return beginning;
    if (beginning) throw ambiguousName(this.#connection, name, [beginning, ...others]);
    if (kinds.includes("pod") || !this.#isPod(name)) throw noSuchName(this.#connection, name, wanted, kinds);
    return this.#onlyContainerOf(name);
  }

  #isPod(name: string): boolean {
    return this.#known.some((candidate) => {
      return candidate.kind === "pod" && (isNamed(candidate, name) || candidate.id.startsWith(name));
    });
  }

  #onlyContainerOf(name: string): Candidate {
    const { id } = this.find(name, ["pod"]);
    const containers = this.#known.filter(({ container }) => container?.podSandboxId === id);
    const only = this.#one(name, containers);
    if (only) return only;
    throw noContainers(this.#connection, name);
  }

  /** Returns the latest attempt of the one object that candidates are. Those that run come before others. */
  #one(name: string, candidates: readonly Candidate[]): Candidate | undefined {
    const active = candidates.filter(({ isActive }) => isActive);
    const preferred = active.length > 0 ? active : candidates;
    const different = new Map(preferred.map((candidate) => [`${candidate.kind} ${candidate.path}`, candidate]));
    if (different.size > 1) throw ambiguousName(this.#connection, name, [...different.values()]);
    return latestOf(preferred);
  }
}
