import { isDeepStrictEqual } from "node:util";
import { fieldPath } from "../../internal/field-names.js";
import { isRecord } from "../../internal/record.js";
import type { JsonObject, JsonValue } from "../../json/message-json.js";

/** One difference between two plans. */
export interface PlanChange {
  /** The field of the plan's JSON; elements of lists by their name: `messages["CreateContainer main"].request.config.args[0]`. */
  path: string;
  /** Absent if only the other plan has the field. Secrets are replaced, so that both values may look equal. */
  before?: JsonValue | undefined;
  /** Absent if only this plan has the field. */
  after?: JsonValue | undefined;
}

/** The differences between two plans. */
export interface PlanDiff {
  changes: readonly PlanChange[];
  /** Whether a pod of the first plan must be replaced: it is another pod, or its document has changed. */
  replaces: boolean;
}

/** A plan as data without and with its secrets. Both have the same structure. */
export interface ComparedData {
  uid: string;
  hash: string;
  shown: JsonObject;
  revealed: JsonObject;
}

/** Compares two plans, without what is derived from the uid and so differs for every document. */
export function diffData(before: ComparedData, after: ComparedData): PlanDiff {
  const changes: PlanChange[] = [];
  compare("", sidesOf(before), sidesOf(after), changes);
  return { changes, replaces: before.uid !== after.uid || before.hash !== after.hash };
}

/** The digits in the path of a termination message are derived from the uid. */
const terminationMessages = /(\/pods\/<uid>\/containers\/[^/"]+\/)[0-9a-f]{8}(?=")/g;

interface Sides {
  shown: JsonValue | undefined;
  revealed: JsonValue | undefined;
}

function sidesOf({ uid, hash, shown, revealed }: ComparedData): Sides {
  const neutral = (data: JsonObject) => {
    const { uid: _uid, hash: _hash, ...rest } = data;
    const text = JSON.stringify(rest).replaceAll(hash, "<hash>").replaceAll(uid, "<uid>");
    return JSON.parse(text.replace(terminationMessages, "$1<digits>")) as JsonObject;
  };
  return { shown: neutral(shown), revealed: neutral(revealed) };
}

function compare(path: string, before: Sides, after: Sides, changes: PlanChange[]): void {
  if (isDeepStrictEqual(before.revealed, after.revealed)) return;
  const [fieldsBefore, fieldsAfter] = [fieldsOf(before), fieldsOf(after)];
  if (fieldsBefore === undefined || fieldsAfter === undefined) {
    changes.push({
      path,
      ...(before.shown !== undefined && { before: before.shown }),
      ...(after.shown !== undefined && { after: after.shown }),
    });
    return;
  }
  const none: Sides = { shown: undefined, revealed: undefined };
  const isList = Array.isArray(before.shown);
  for (const key of new Set([...fieldsBefore.keys(), ...fieldsAfter.keys()])) {
    const place = isList && /^\d+$/.test(key) ? fieldPath(path, Number(key)) : fieldPath(path, key);
    compare(place, fieldsBefore.get(key) ?? none, fieldsAfter.get(key) ?? none, changes);
  }
}

/** Returns the fields of an object, or the elements of a list by their key. */
function fieldsOf({ shown, revealed }: Sides): Map<string, Sides> | undefined {
  if (Array.isArray(shown) && Array.isArray(revealed)) {
    const keys = keysOf(shown);
    return new Map(shown.map((item, index) => [keys[index]!, { shown: item, revealed: revealed[index] }]));
  }
  if (!isRecord(shown) || !isRecord(revealed)) return undefined;
  return new Map(Object.keys(revealed).map((key) => [key, { shown: shown[key], revealed: revealed[key] }]));
}

/** Identifies the elements of a list: by name, so that a new element does not shift all others, else by index. */
function keysOf(list: readonly JsonValue[]): string[] {
  const keys = list.map((item, index) => (isRecord(item) ? (nameOf(item) ?? String(index)) : String(index)));
  return new Set(keys).size === keys.length ? keys : list.map((_, index) => String(index));
}

function nameOf({ rpc, container, image, name, key, containerPath, path }: JsonObject): string | undefined {
  if (typeof rpc === "string") return [rpc, container ?? image].filter((part) => part !== undefined).join(" ");
  return [name, key, containerPath, path].find((value) => typeof value === "string") as string | undefined;
}
