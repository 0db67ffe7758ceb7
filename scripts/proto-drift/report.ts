/**
 * The findings as text for people and as JSON for programs.
 *
 * @module
 */
import type { SchemaElement } from "../lib/schema.js";
import type { BreakingFinding, BreakingResult } from "./breaking.js";
import { type Difference, type Drift, isWrong } from "./compare.js";

/** Everything one comparison found. */
export interface Report {
  readonly upstream: string;
  readonly drift: Drift;
  readonly breaking: BreakingResult;
}

/** Whether the two schemas agree on the wire, by our comparison and by buf's. */
export function agrees({ drift, breaking }: Report): boolean {
  return !isWrong(drift) && breaking.theirsToOurs.length + breaking.oursToTheirs.length === 0;
}

/** The report as text, one finding per line. */
export function asText(report: Report): string {
  const { drift, breaking } = report;
  const lines = [
    `Our schema against ${report.upstream}`,
    "",
    `The same on both sides: ${drift.same} elements.`,
    ...section("They have it, we lack it", drift.missing.map(describe)),
    ...section("We have it, they lack it though they should have it", drift.surplus.map(describe)),
    ...section("Different on the wire", drift.wire.map(describeDifference)),
    ...section("We have it, they cannot have it yet", drift.newer.map(describe)),
    ...section("Another name, the same on the wire", drift.names.map(describeDifference)),
    ...section("string or bytes, the same on the wire", drift.text.map(describeDifference)),
    ...section("Other options, the same on the wire", drift.options.map(describeDifference)),
    ...section("buf breaking, reading what they write", breaking.theirsToOurs.map(describeFinding)),
    ...section("buf breaking, writing what they read", breaking.oursToTheirs.map(describeFinding)),
    "",
    verdict(report),
  ];
  return lines.join("\n");
}

/** The report as data. */
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
  if (agrees(report)) return "No drift: the two schemas understand each other on the wire.";
  return [
    "Drift: proto/runtime/v1/api.proto does not say what this upstream schema says.",
    "If upstream is right, change the schema, then run `npm run generate`. If ours is newer, say so in the element's comment",
    '("Since Kubernetes 1.x."), or pass --latest with the release that the upstream file belongs to.',
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
