import { toRfc3339Nano } from "../../index.js";
import { parseExactly } from "../../json/exact-json.js";
import { Long } from "../../proto.js";

/** The fields of a status that crictl prints as times. */
const times = ["createdAt", "startedAt", "finishedAt"];

/**
 * Returns a status with the runtime's verbose info as crictl prints it: each entry of the info beside the status, parsed, and times
 * in RFC 3339. A time that is not set is left as it is.
 */
export function statusDocument(status: object, info: Readonly<Record<string, string>>): Record<string, unknown> {
  const json = JSON.parse(JSON.stringify(status)) as Record<string, unknown>;
  for (const key of times) {
    if (typeof json[key] === "string" && json[key] !== "0") json[key] = toRfc3339Nano(Long.fromString(json[key]));
  }
  return { status: json, ...infoDocument(info) };
}

/** Returns the entries of a verbose info, parsed if they are JSON. An entry called `status` would replace the status. */
export function infoDocument(info: Readonly<Record<string, string>>): Record<string, unknown> {
  const entries = Object.entries(info).filter(([key]) => key !== "status");
  return Object.fromEntries(entries.map(([key, text]) => [key, parsed(text)]));
}

function parsed(text: string): unknown {
  try {
    return parseExactly(text);
  } catch {
    return text;
  }
}
