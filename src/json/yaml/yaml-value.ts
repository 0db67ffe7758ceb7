import { type Alias, isAlias, isMap, isScalar, isSeq, type Node, type Pair, type Scalar, type YAMLMap } from "yaml";
import { typeName } from "../../internal/type-name.js";
import { resolvePlain } from "./plain-scalar.js";

/** More levels of lists and maps are refused; no manifest has a tenth of them. */
const maxDepth = 200;

/** The number of values that the aliases of a document may add to it. */
const maxAliasValues = 100_000;

/** Where the entries of a map or of a list are in the text: offsets by key or index. */
export interface EntryOffsets {
  /** Offset of the map or list itself. */
  self: number;
  keys: ReadonlyMap<string | number, number>;
  values: ReadonlyMap<string | number, number>;
}

/** @param isRepeatedKey whether the fault is a key that is set twice, of which the later one applies */
type Report = (offset: number, message: string, isRepeatedKey?: boolean) => void;

/**
 * Converts the nodes of one YAML document to the values that JSON has, as Kubernetes does, and remembers where each one is.
 * Aliases become the same object as their anchors.
 */
export class YamlValues {
  readonly #report: Report;
  readonly #anchors = new Map<string, Node>();
  readonly #converted = new Map<Node, { value: unknown; size: number }>();
  readonly #offsets = new WeakMap<object, EntryOffsets>();
  readonly #open = new Set<Node>();
  #size = 0;
  #aliasValues = 0;

  constructor(report: Report) {
    this.#report = report;
  }

  /** Returns the offsets of the entries of a map or list that {@link convert} returned. */
  offsetsOf(container: object): EntryOffsets | undefined {
    return this.#offsets.get(container);
  }

  convert(node: Node | null): unknown {
    return this.#value(node, 0);
  }

  #value(node: Node | null, depth: number): unknown {
    if (node === null) return null;
    if (isAlias(node)) return this.#alias(node);
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    if (depth > maxDepth) {
      this.#report(offsetOf(node), `is nested more than ${maxDepth} levels deep`);
      return null;
    }
    const before = this.#size++;
    this.#open.add(node);
    const value = this.#content(node, depth);
    this.#open.delete(node);
    if (node.anchor !== undefined) this.#converted.set(node, { value, size: this.#size - before });
    return value;
  }

  #content(node: Node, depth: number): unknown {
    if (!isScalar(node) && node.tag !== undefined && !/^tag:yaml\.org,2002:(?:map|seq)$/.test(node.tag)) {
      this.#report(offsetOf(node), `the tag ${shorten(node.tag)} is not supported`);
    }
    if (isMap(node)) return this.#map(node, depth);
    if (isSeq(node)) {
      const items = node.items as (Node | null)[];
      const list = items.map((item) => this.#value(item, depth + 1));
      const values = new Map(items.map((item, index) => [index, item === null ? offsetOf(node) : offsetOf(item)]));
      this.#offsets.set(list, { self: offsetOf(node), keys: new Map(), values });
      return list;
    }
    return isScalar(node) ? this.#scalar(node) : null;
  }

  #alias(node: Alias): unknown {
    const anchor = this.#anchors.get(node.source);
    const found = anchor && this.#converted.get(anchor);
    if (anchor === undefined || found === undefined) {
      const problem =
        anchor && this.#open.has(anchor) ? "refers to a value that contains it" : "has no anchor before it";
      this.#report(offsetOf(node), `the alias ${problem}`);
      return null;
    }
    this.#aliasValues += found.size;
    // An anchor around this alias has the values of both.
    this.#size += found.size;
    if (this.#aliasValues <= maxAliasValues) return found.value;
    if (this.#aliasValues - found.size <= maxAliasValues) {
      this.#report(offsetOf(node), `the aliases of the document expand to more than ${maxAliasValues} values`);
    }
    return null;
  }

  #map(node: YAMLMap, depth: number): object {
    // Without a prototype: `__proto__` is a key like any other.
    const map: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
    const keys = new Map<string, number>();
    const values = new Map<string, number>();
    this.#offsets.set(map, { self: offsetOf(node), keys, values });
    const merged: (Node | null)[] = [];
    for (const { key, value } of node.items as Pair<Node, Node | null>[]) {
      if (isScalar(key) && key.type === "PLAIN" && key.value === "<<") {
        merged.push(value);
        continue;
      }
      const name = this.#key(key);
      if (name === undefined) continue;
      if (keys.has(name)) this.#report(offsetOf(key), `the key ${JSON.stringify(shorten(name))} is set twice`, true);
      map[name] = this.#value(value, depth + 1);
      keys.set(name, offsetOf(key));
      values.set(name, offsetOf(value ?? key));
    }
    for (const node of merged) this.#merge(node, depth, map, keys, values);
    return map;
  }

  /** Adds the entries of the maps that `<<` names. Entries that are set already stay. */
  #merge(
    node: Node | null,
    depth: number,
    map: Record<string, unknown>,
    keys: Map<string, number>,
    values: Map<string, number>,
  ): void {
    const value = this.#value(node, depth + 1);
    for (const source of Array.isArray(value) ? (value as unknown[]) : [value]) {
      const offsets = typeof source === "object" && source !== null ? this.#offsets.get(source) : undefined;
      if (offsets === undefined || Array.isArray(source)) {
        this.#report(offsetOf(node), "the value of << must be a map or a list of maps");
        continue;
      }
      for (const [name, item] of Object.entries(source as object)) {
        if (keys.has(name)) continue;
        map[name] = item;
        keys.set(name, offsets.keys.get(name) ?? offsets.self);
        values.set(name, offsets.values.get(name) ?? offsets.self);
      }
    }
  }

  /** Returns a key as a string. JSON has no other keys, and a boolean or null is usually meant as a string. */
  #key(key: Node): string | undefined {
    if (!isScalar(key)) {
      const hint = isMap(key) ? "; a template such as {{ name }} must be rendered first" : "";
      this.#report(offsetOf(key), `a key must be a string${hint}`);
      return undefined;
    }
    const value = this.#value(key, 0);
    if (typeof value === "string") return value;
    if (typeof value === "number" && String(value) === key.source) return key.source;
    this.#report(offsetOf(key), `YAML reads the key ${key.source ?? ""} as ${typeName(value)}; put it in quotes`);
    return undefined;
  }

  #scalar(node: Scalar): unknown {
    const text = String(node.value);
    const tag = node.tag?.replace(/^tag:yaml\.org,2002:/, "!!");
    if (tag === undefined || tag === "!!str")
      return tag !== undefined || node.type !== "PLAIN" ? text : this.#plain(node, text);
    const value = resolvePlain(text);
    const type = value === null ? "!!null" : typeof value === "boolean" ? "!!bool" : "!!number";
    const wanted = tag === "!!int" || tag === "!!float" ? "!!number" : tag;
    if (typeof value !== "string" && value !== undefined && type === wanted) return value;
    this.#report(offsetOf(node), `the tag ${shorten(tag)} is not supported here`);
    return null;
  }

  #plain(node: Scalar, text: string): unknown {
    const value = resolvePlain(text);
    if (value === undefined) this.#report(offsetOf(node), "must be a finite number");
    return value ?? null;
  }
}

function offsetOf(node: Node | null): number {
  return node?.range?.[0] ?? 0;
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
