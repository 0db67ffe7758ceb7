import fc from "fast-check";
import { timeOf } from "./support.js";

/** Options of {@link documents}. */
export interface DocumentOptions {
  /** Whether the content of each line is UTF-8. */
  utf8?: boolean;
  /** Whether all lines are valid. */
  clean?: boolean;
}

/**
 * Generates logs in CRI's format. The first line is valid. Other lines may be parts, empty or malformed, and of either stream. The
 * last line may lack its line break.
 */
export function documents({ utf8 = false, clean = false }: DocumentOptions = {}): fc.Arbitrary<Buffer> {
  const text = fc
    .oneof(fc.constant(""), fc.string({ unit: "binary", maxLength: 30 }))
    .map((content) => Buffer.from(content, "utf8"));
  const content = utf8
    ? text
    : fc.oneof(
        text,
        fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)),
      );
  const tag = clean ? fc.constantFrom("F", "P") : fc.constantFrom("F", "F", "P", "P", "P:a", "F:b:c", "x", "");
  const zone = fc.constantFrom("Z", "Z", "+02:00", ".5Z");
  const line = fc
    .record({ stream: fc.constantFrom("stdout", "stderr"), tag, content, zone })
    .map((parts) => (index: number) => {
      const time = parts.zone === "Z" ? timeOf(index) : `2026-11-23T05:55:00${parts.zone}`;
      const bytes = Buffer.from(parts.content.filter((byte) => byte !== 0x0a));
      return Buffer.concat([Buffer.from(`${clean ? timeOf(index) : time} ${parts.stream} ${parts.tag} `), bytes]);
    });
  const malformed = fc
    .constantFrom("", "garbage", "2026-11-23T05:55:00Z stdin F x", "2026-11-23 stdout F x")
    .map((text) => () => Buffer.from(text));
  const lines = fc.array(clean ? line : fc.oneof({ arbitrary: line, weight: 9 }, { arbitrary: malformed, weight: 1 }), {
    maxLength: 40,
  });
  return fc.tuple(line, lines, fc.boolean()).map(([first, rest, ends]) => {
    const all = [first, ...rest].map((make, index) => make(index));
    const bytes = Buffer.concat(all.flatMap((bytes) => [bytes, Buffer.from("\n")]));
    return ends ? bytes : bytes.subarray(0, -1);
  });
}
