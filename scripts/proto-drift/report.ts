/**
 * Formats the findings as text or JSON.
 *
 * @module
 */
import type { SchemaElement } from "../lib/schema.js";
import type { BreakingFinding, BreakingResult } from "./breaking.js";
import { type Difference, type Drift, isWrong } from "./compare.js";

/** The findings of one comparison. */
export interface Report {
  readonly upstream: string;
  readonly drift: Drift;
  readonly breaking: BreakingResult;
}

/** Whether the wire formats agree, according to our comparison and to buf. */
export function agrees({ drift, breaking }: Report): boolean {
  return !isWrong(drift) && breaking.theirsToOurs.length + breaking.oursToTheirs.length === 0;
}

/** Formats the report as text, one finding per line. */
export function asText(report: Report): string {
  const { drift, breaking } = report;
  const lines = [
    `Our schema compared with ${report.upstream}`,
    "",
    `Equal: ${drift.same} elements.`,
    ...section("Only in the upstream schema", drift.missing.map(describe)),
    ...section("Only in our schema, and not newer than the upstream schema", drift.surplus.map(describe)),
    ...section("Different on the wire", drift.wire.map(describeDifference)),
    ...section("Only in our schema, and newer than the upstream schema", drift.newer.map(describe)),
    ...section("Different names, equal on the wire", drift.names.map(describeDifference)),
    ...section("string or bytes, equal on the wire", drift.text.map(describeDifference)),
    ...section("Different options, equal on the wire", drift.options.map(describeDifference)),
    ...section(
      "buf breaking: our schema reads messages of the upstream schema",
      breaking.theirsToOurs.map(describeFinding),
    ),
    ...section(
      "buf breaking: the upstream schema reads messages of our schema",
      breaking.oursToTheirs.map(describeFinding),
    ),
    "",
    verdict(report),
  ];
  return lines.join("\n");
}

/** Formats the report as JSON. */
export function asJson(report: Report): string {
  const element = ({ kind, name, number, type }: SchemaElement) => ({ kind, name, number, type });
  const difference = ({ ours, theirs, what }: Difference) => ({ ours: element(ours), theirs: element(theirs), what });
  const { drift } = report;
  const data = {
    upstream: report.upstream,
    agrees: agrees(report),
    same: drift.same,
    missing: drift.missing.map(element),
    surplus: drift.surplus.map(element),
    wire: drift.wire.map(difference),
    newer: drift.newer.map(element),
    names: drift.names.map(difference),
    text: drift.text.map(difference),
    options: drift.options.map(difference),
    breaking: report.breaking,
  };
  return JSON.stringify(data, null, 2);
}

function verdict(report: Report): string {
  if (agrees(report)) return "No drift: the schemas agree on the wire.";
  return [
    "Drift: proto/runtime/v1/api.proto differs from this upstream schema.",
    "If upstream is right, change our schema and run `npm run generate`. If ours is newer, add the release to the element's comment",
    '("Since Kubernetes 1.x."), or pass the release of the upstream file with --latest.',
  ].join("\n");
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ["", `${title} (${lines.length}):`, ...lines.map((line) => `  ${line}`)];
}

function describe({ kind, name, number, type }: SchemaElement): string {
  return [kind, name, number === undefined ? undefined : `= ${number}`, type]
    .filter((part) => part !== undefined)
    .join(" ");
}

function describeDifference({ ours, what }: Difference): string {
  return `${ours.kind} ${ours.name}: ${what}`;
}

function describeFinding({ rule, message }: BreakingFinding): string {
  return `${rule}: ${message}`;
}
