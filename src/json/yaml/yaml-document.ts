import { fieldPath } from "../../internal/field-names.js";
import type { SourceFault, TextPosition } from "./source-fault.js";
import { readYaml, type TextDocument } from "./yaml-text.js";

/** The first document of a YAML or JSON text, with the position of each field by its path. */
export class YamlDocument {
  /** `undefined` if the text is empty or malformed. */
  readonly data: unknown;
  readonly faults: readonly SourceFault[];
  /** Where the second document begins, if there is one. */
  readonly second: TextPosition | undefined;
  readonly #document: TextDocument | undefined;

  constructor(text: string) {
    const [first, second] = readYaml(text);
    this.#document = first;
    this.data = first?.value;
    this.faults = first?.faults ?? [];
    this.second = second && (this.#start(second) ?? second.faults[0]?.position ?? { line: 1, column: 1 });
  }

  #start({ value, positionOf }: TextDocument): TextPosition | undefined {
    return typeof value === "object" && value !== null ? positionOf(value) : undefined;
  }

  /** Returns the position of a field or element, or of the nearest one that contains it. */
  positionOf(path: string): TextPosition {
    let position: TextPosition | undefined;
    let container = this.data;
    for (let at = ""; typeof container === "object" && container !== null; ) {
      position ??= this.#document?.positionOf(container);
      const next = Array.isArray(container)
        ? indexAt(path, at)
        : Object.keys(container).find((key) => isWithin(path, fieldPath(at, key)));
      if (next === undefined) break;
      position = this.#document?.positionOf(container, next, "key") ?? position;
      at = fieldPath(at, next);
      container = (container as Record<string | number, unknown>)[next];
    }
    return position ?? { line: 1, column: 1 };
  }
}

function isWithin(path: string, parent: string): boolean {
  return path.startsWith(parent) && ["", ".", "["].includes(path.charAt(parent.length));
}

/** Returns the index that follows a part of a path: 2 after `mounts` in `mounts[2].hostPath`. */
function indexAt(path: string, parent: string): number | undefined {
  const index = /^\[(\d+)\]/.exec(path.slice(parent.length))?.[1];
  return index === undefined ? undefined : Number(index);
}
