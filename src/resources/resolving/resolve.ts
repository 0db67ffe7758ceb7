import { callOptionFields, checkOptions, type FieldsOf } from "../../input/call-options.js";
import { optionalString, requiredString } from "../../input/check.js";
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

/**
 * Finds the pod or container that a person names: by its id, its name, or the beginning of its id, in this order. If only
 * containers are wanted, the name of a pod stands for its only container.
 *
 * @throws CriError `NOT_FOUND` with a similar name, or `FAILED_PRECONDITION` with the candidates
 */
export async function resolve(
  connection: Connection,
  text: string,
  kinds: readonly Candidate["kind"][],
  options: ResolveOptions = {},
): Promise<Candidate> {
  checkOptions(options, fields);
  const { namespace, ...callOptions } = options;
  const given = requiredString(text, "text").replace(/^[a-z][a-z0-9+.-]*:\/\//, "");
  const wanted = optionalString(namespace, "namespace");
  const budget = startBudget(connection, callOptions, 1);
  const [pods, containers] = await Promise.all([
    listPodSandboxes(connection, undefined, budget.options()),
    listContainers(connection, undefined, budget.options()),
  ]);
  const known = candidatesOf(pods, containers).filter(
    ({ pod }) => wanted === "" || pod?.metadata?.namespace === wanted,
  );
  return new Resolution(connection, known).find(given, kinds);
}

/** Finds objects among those that were listed. */
class Resolution {
  readonly #connection: Connection;
  readonly #known: readonly Candidate[];

  constructor(connection: Connection, known: readonly Candidate[]) {
    this.#connection = connection;
    this.#known = known;
  }

  find(text: string, kinds: readonly Candidate["kind"][]): Candidate {
    const wanted = this.#known.filter(({ kind }) => kinds.includes(kind));
    const exact = wanted.find(({ id }) => id === text);
    if (exact) return exact;
    const named = this.#one(
      text,
      wanted.filter((candidate) => isNamed(candidate, text)),
    );
    if (named) return named;
    const [beginning, ...others] = wanted.filter(({ id }) => id.startsWith(text));
    if (beginning && others.length === 0) return beginning;
    if (beginning) throw ambiguousName(this.#connection, text, [beginning, ...others]);
    if (kinds.includes("pod") || !this.#isPod(text)) throw noSuchName(this.#connection, text, wanted, kinds);
    return this.#onlyContainerOf(text);
  }

  #isPod(text: string): boolean {
    return this.#known.some((candidate) => {
      return candidate.kind === "pod" && (isNamed(candidate, text) || candidate.id.startsWith(text));
    });
  }

  #onlyContainerOf(text: string): Candidate {
    const { id } = this.find(text, ["pod"]);
    const containers = this.#known.filter(({ container }) => container?.podSandboxId === id);
    const only = this.#one(text, containers);
    if (only) return only;
    throw noContainers(this.#connection, text);
  }

  /** Returns the latest attempt of the one object that candidates are. Those that run come before others. */
  #one(text: string, candidates: readonly Candidate[]): Candidate | undefined {
    const active = candidates.filter(({ isActive }) => isActive);
    const preferred = active.length > 0 ? active : candidates;
    const different = new Map(preferred.map((candidate) => [`${candidate.kind} ${candidate.path}`, candidate]));
    if (different.size > 1) throw ambiguousName(this.#connection, text, [...different.values()]);
    return latestOf(preferred);
  }
}
