/**
 * Compares two schemas element by element, and sorts the differences by their effect on the wire format.
 *
 * @module
 */
import { type SchemaElement, statedRelease } from "../lib/schema.js";

/**
 * The newest Kubernetes release with a published schema. Upstream schemas may lack elements whose comment names a newer release.
 * Increase this constant after each release of Kubernetes.
 */
export const latestRelease = "1.36";

/** An element that both schemas have, but not in the same form. */
export interface Difference {
  readonly ours: SchemaElement;
  readonly theirs: SchemaElement;
  readonly what: string;
}

/** All differences between our schema and theirs. */
export interface Drift {
  /** The number of equal elements. */
  readonly same: number;
  /** Only in their schema. */
  readonly missing: readonly SchemaElement[];
  /** Only in our schema, and newer than theirs. */
  readonly newer: readonly SchemaElement[];
  /** Only in our schema, and not newer than theirs. */
  readonly surplus: readonly SchemaElement[];
  /** Number, type, cardinality or streaming differs: each side would decode the other's messages incorrectly. */
  readonly wire: readonly Difference[];
  /** Only the names differ, which are not part of the wire format. */
  readonly names: readonly Difference[];
  /** One schema has string, the other has bytes. Valid UTF-8 is encoded in the same way. */
  readonly text: readonly Difference[];
  /** `deprecated`, `debug_redact`: no effect on the wire. */
  readonly options: readonly Difference[];
}

/** Whether our schema is wrong. */
export function isWrong(drift: Drift): boolean {
  return drift.missing.length + drift.surplus.length + drift.wire.length > 0;
}

/** Compares two lists of elements. @param latest the Kubernetes release of their schema */
export function compare(
  ours: readonly SchemaElement[],
  theirs: readonly SchemaElement[],
  latest = latestRelease,
): Drift {
  const drift = {
    same: 0,
    missing: [] as SchemaElement[],
    newer: [] as SchemaElement[],
    surplus: [] as SchemaElement[],
    wire: [] as Difference[],
    names: [] as Difference[],
    text: [] as Difference[],
    options: [] as Difference[],
  };
  const pairs = new Pairs(ours, theirs);

  for (const element of ours) {
    const other = pairs.theirsFor(element);
    if (other === undefined) {
      if (!pairs.ownerIsMissing(element, ours, theirs))
        (isNewer(element, ours, latest) ? drift.newer : drift.surplus).push(element);
      continue;
    }
    const found = differences(element, other);
    for (const [list, what] of found) drift[list].push({ ours: element, theirs: other, what });
    if (found.length === 0) drift.same++;
  }
  for (const element of theirs) {
    if (!pairs.has(element) && !pairs.ownerIsMissing(element, theirs, ours)) drift.missing.push(element);
  }
  return drift;
}

type DifferenceList = "wire" | "names" | "text" | "options";

function differences(ours: SchemaElement, theirs: SchemaElement): [DifferenceList, string][] {
  const found: [DifferenceList, string][] = [];
  if (ours.number !== theirs.number) found.push(["wire", `number ${ours.number} here, ${theirs.number} there`]);
  if (ours.type !== theirs.type) {
    const isText = asText(ours.type) === asText(theirs.type);
    found.push([isText ? "text" : "wire", `${ours.type} here, ${theirs.type} there`]);
  }
  if (ours.name !== theirs.name) found.push(["names", `${lastName(ours)} here, ${lastName(theirs)} there`]);
  if (ours.options.join() !== theirs.options.join()) {
    found.push([
      "options",
      `${ours.options.join(", ") || "no option"} here, ${theirs.options.join(", ") || "no option"} there`,
    ]);
  }
  return found;
}

/** Pairs our elements with theirs. */
class Pairs {
  readonly #theirs = new Map<SchemaElement, SchemaElement>();
  readonly #taken = new Set<SchemaElement>();

  constructor(ours: readonly SchemaElement[], theirs: readonly SchemaElement[]) {
    // Pairs fields and values by number first, because decoding uses only the number. Then pairs the rest by name, to find elements
    // whose number changed.
    for (const identity of [wireIdentity, nameIdentity]) {
      const free = new Map(
        theirs.filter((element) => !this.#taken.has(element)).map((element) => [identity(element), element]),
      );
      for (const element of ours) {
        if (this.#theirs.has(element)) continue;
        const other = free.get(identity(element));
        if (other === undefined || this.#taken.has(other)) continue;
        this.#theirs.set(element, other);
        this.#taken.add(other);
      }
    }
  }

  theirsFor(element: SchemaElement): SchemaElement | undefined {
    return this.#theirs.get(element);
  }

  has(theirs: SchemaElement): boolean {
    return this.#taken.has(theirs);
  }

  /** Whether the other schema lacks the whole owner of an element, such as its message. The report then names only the owner. */
  ownerIsMissing(element: SchemaElement, here: readonly SchemaElement[], there: readonly SchemaElement[]): boolean {
    if (element.owner === undefined) return false;
    const isOwner = (each: SchemaElement) => each.name === element.owner && each.owner === undefined;
    return here.some(isOwner) && !there.some(isOwner);
  }
}

function wireIdentity(element: SchemaElement): string {
  return element.number === undefined ? nameIdentity(element) : `${element.kind} ${element.owner} ${element.number}`;
}

function nameIdentity(element: SchemaElement): string {
  return `${element.kind} ${element.name}`;
}

function isNewer(element: SchemaElement, all: readonly SchemaElement[], latest: string): boolean {
  const owner = all.find((each) => each.name === element.owner && each.owner === undefined);
  const release = statedRelease(element) ?? (owner && statedRelease(owner));
  return release !== undefined && minor(release) > minor(latest);
}

function minor(release: string): number {
  return Number(release.split(".")[1]);
}

function asText(type: string | undefined): string | undefined {
  return type?.replace(/\bbytes\b/, "string");
}

function lastName(element: SchemaElement): string {
  return element.name.slice(element.name.lastIndexOf(".") + 1);
}
