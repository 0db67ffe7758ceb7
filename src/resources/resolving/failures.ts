import { CriError } from "../../errors.js";
import { closest } from "../../internal/closest.js";
import type { Connection } from "../../transport/connection.js";
import type { Candidate } from "./candidate.js";

/** The number of objects that an error message lists. */
const maxListed = 10;

/** The number of characters of an id that an error message shows, unless the given name is as long. */
const shownIdLength = 13;

/** Returns the error for a name that several objects have. Its message lists them. */
export function ambiguousName({ endpoint }: Connection, name: string, candidates: readonly Candidate[]): CriError {
  const idLength = Math.max(shownIdLength, name.length + 4);
  const lines = candidates
    .toSorted((one, other) => one.path.localeCompare(other.path) || one.kind.localeCompare(other.kind))
    .slice(0, maxListed)
    .map(({ kind, id, path, state }) => `  ${id.slice(0, idLength)}  ${kind} ${path} (${state})`);
  const rest = candidates.length - lines.length;
  const message = [
    `"${name}" may be one of ${candidates.length} objects; give a longer name, or one of these ids:`,
    ...lines,
    ...(rest > 0 ? [`  and ${rest} more`] : []),
  ];
  return new CriError({ code: "FAILED_PRECONDITION", message, endpoint, attempts: 1 });
}

/** Returns the error for a name that no object has. Its message suggests a similar name, or lists the names that exist. */
export function noSuchName(
  { endpoint }: Connection,
  name: string,
  known: readonly Candidate[],
  kinds: readonly Candidate["kind"][],
): CriError {
  const what = kinds.join(" or ");
  const similar = closest(name, known.flatMap(namesOf));
  const message = `no ${what} has the name, the id, or the beginning of an id "${name}"; ${remedy(similar, what, known)}`;
  return new CriError({ code: "NOT_FOUND", message, endpoint, attempts: 1 });
}

/** Returns the error for a pod without containers, where its name should stand for its only container. */
export function noContainers({ endpoint }: Connection, name: string): CriError {
  return new CriError({ code: "NOT_FOUND", message: `the pod "${name}" has no containers`, endpoint, attempts: 1 });
}

function remedy(similar: string | undefined, what: string, known: readonly Candidate[]): string {
  if (similar !== undefined) return `did you mean "${similar}"?`;
  if (known.length === 0) return `there is no ${what}`;
  const names = [...new Set(known.map(({ path }) => path))].sort();
  const rest = names.length - maxListed;
  return `there are ${names.slice(0, maxListed).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}

/** Returns the names that a person may write for a candidate, the shortest first. */
function namesOf({ path }: Candidate): string[] {
  const parts = path.split("/");
  return parts.map((_, index) => parts.slice(-1 - index).join("/"));
}
