import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CriError } from "../../../src/errors.js";
import type { LogBytesEntry, LogEntry } from "../../../src/logs/entry.js";
import { LogDecoder } from "../../../src/logs/log-decoder.js";
import type { LogGap } from "../../../src/logs/log-gap.js";
import type { ReadLogOptions } from "../../../src/logs/read-options.js";
import { checkReadOptions } from "../../../src/logs/read-settings.js";
import { documents } from "./documents.js";
import { type ReferenceEntry, readReference } from "./reference.js";
import { criLine, timeOf } from "./support.js";

/** Decodes a file that is read in these pieces. */
function decode(pieces: readonly Buffer[], options: ReadLogOptions = {}) {
  const decoder = new LogDecoder(checkReadOptions(options));
  decoder.startFile("/log");
  const entries = pieces.flatMap((piece) => decoder.add(piece));
  const all = [...entries, ...decoder.end()].map(({ position: _, ...entry }) => entry);
  return { entries: all, skipped: decoder.skippedLines };
}

const decodeText = (text: string | Buffer, options: ReadLogOptions = {}) =>
  decode([Buffer.from(text)], options).entries as LogEntry[];

const asText = ({ bytes, ...entry }: ReferenceEntry): Omit<LogEntry, "position"> => ({
  ...entry,
  text: Buffer.from(bytes).toString("utf8"),
});

describe("a log in CRI's format", () => {
  test("is decoded as by the reference implementation, in pieces of any length", () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(documents(), cuts, (bytes, lengths) => {
        const expected = readReference(bytes);
        const { entries, skipped } = decode(pieces(bytes, lengths));
        expect(entries).toEqual(expected.entries.map(asText));
        expect(skipped).toBe(expected.skipped);
      }),
      { numRuns: 500 },
    );
  });

  test('emits every physical line with partial "separate", byte for byte', () => {
    fc.assert(
      fc.property(documents(), (bytes) => {
        const options = { partial: "separate", encoding: "buffer" } as const;
        expect(decode([bytes], options).entries).toEqual(readReference(bytes, { partial: "separate" }).entries);
      }),
    );
  });

  test("emits the lines that match the filters", () => {
    const times = fc.integer({ min: 0, max: 40 }).map(timeOf);
    const streams = fc.constantFrom(["stdout"] as const, ["stderr"] as const, ["stdout", "stderr"] as const);
    fc.assert(
      fc.property(documents(), fc.record({ since: times, until: times, streams }), (bytes, options) => {
        expect(decode([bytes], options).entries).toEqual(readReference(bytes, options).entries.map(asText));
      }),
    );
  });

  test("is decoded to the same entries wherever reads split it", () => {
    const bytes = Buffer.from(
      [
        criLine(1, "a line"),
        criLine(2, "köln ", "stdout", "P"),
        "no line at all\n",
        criLine(3, "", "stderr"),
        criLine(4, "and 東京", "stdout", "F:more:tags"),
        "2026-11-23T05:55:00+02:00 stderr P unfinished",
      ].join(""),
    );
    const expected = readReference(bytes);
    expect(expected.entries).toHaveLength(4);
    for (let at = 0; at <= bytes.length; at++) {
      const { entries, skipped } = decode([bytes.subarray(0, at), bytes.subarray(at)]);
      expect(entries).toEqual(expected.entries.map(asText));
      expect(skipped).toBe(1);
    }
    const byteByByte = decode(pieces(bytes, [1]));
    expect(byteByByte.entries).toEqual(expected.entries.map(asText));
  });

  test("joins the parts of each stream separately, with the time of the first part", () => {
    const log =
      criLine(1, "out ", "stdout", "P") +
      criLine(2, "err ", "stderr", "P") +
      criLine(3, "1") +
      criLine(4, "2", "stderr");
    expect(decodeText(log)).toEqual([
      { timestamp: timeOf(1), stream: "stdout", partial: false, text: "out 1" },
      { timestamp: timeOf(2), stream: "stderr", partial: false, text: "err 2" },
    ]);
  });

  test("uses only the first tag: every tag but P means a full line", () => {
    const log =
      criLine(1, "a", "stdout", "P:x") +
      criLine(2, "b", "stdout", "x:P") +
      criLine(3, "c", "stdout", "PX") +
      criLine(4, "d", "stdout", "");
    expect(decodeText(log).map(({ text, partial }) => [text, partial])).toEqual([
      ["ab", false],
      ["c", false],
      ["d", false],
    ]);
  });

  test.each([
    ["stdin", `${timeOf(1)} stdin F x`],
    ["no tag", `${timeOf(1)} stdout x`],
    ["no content", `${timeOf(1)} stdout F`],
    ["no time", "stdout F x"],
    ["two spaces", `${timeOf(1)}  stdout F x`],
    ["nothing", ""],
  ])("a line with %s is skipped and counted", (_, line) => {
    const { entries, skipped } = decode([Buffer.from(`${criLine(1)}${line}\n${criLine(2)}`)]);
    expect(entries).toHaveLength(2);
    expect(skipped).toBe(1);
  });
});

describe("text", () => {
  test("has replacement characters for bytes that are not UTF-8", () => {
    const bytes = Buffer.concat([Buffer.from(criLine(1, "a").trimEnd()), Buffer.from([0xff, 0x0a])]);
    expect(decodeText(bytes)).toMatchObject([{ text: "a\ufffd" }]);
  });

  test("never splits a character between the parts of a line, joined or not", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1 }), fc.array(fc.nat(60), { maxLength: 4 }), (text, cuts) => {
        const content = Buffer.from(text.replaceAll("\n", ""), "utf8");
        const places = cuts.map((cut) => cut % (content.length + 1)).sort((left, right) => left - right);
        const bounds = [0, ...places, content.length];
        const log = Buffer.concat(
          bounds.slice(1).map((end, index) => {
            const tag = index === bounds.length - 2 ? "F" : "P";
            return Buffer.concat([
              Buffer.from(`${timeOf(index)} stdout ${tag} `),
              content.subarray(bounds[index], end),
              Buffer.from("\n"),
            ]);
          }),
        );
        expect(decodeText(log)).toMatchObject([{ text: content.toString("utf8") }]);
        const parts = decodeText(log, { partial: "separate" });
        expect(parts).toHaveLength(bounds.length - 1);
        expect(parts.map((entry) => entry.text).join("")).toBe(content.toString("utf8"));
      }),
    );
  });

  test("is cut between characters by limitBytes and maxLineBytes", () => {
    const log = criLine(1, "äöü");
    expect(decodeText(log, { limitBytes: 3 })).toMatchObject([{ text: "ä", partial: true }]);
    const inPieces = decodeText(log, { maxLineBytes: 5 });
    expect(inPieces).toMatchObject([
      { text: "äö", partial: true },
      { text: "ü", partial: false },
    ]);
  });
});

describe("limits", () => {
  test("limitBytes counts only content, and ends the log", () => {
    const log = criLine(1, "12345") + criLine(2, "67890") + criLine(3, "x");
    expect(decodeText(log, { limitBytes: 10 }).map(({ text }) => text)).toEqual(["12345", "67890"]);
    expect(decodeText(log, { limitBytes: 7 })).toMatchObject([{ text: "12345" }, { text: "67", partial: true }]);
    expect(decodeText(log, { limitBytes: 0 })).toEqual([]);
    expect(decodeText(log, { limitBytes: 6, streams: ["stderr"] })).toEqual([]);
  });

  test("a line longer than maxLineBytes is split into entries that make up the line", () => {
    const lengths = fc.integer({ min: 4, max: 40 });
    fc.assert(
      fc.property(documents({ utf8: true }), lengths, (bytes, maxLineBytes) => {
        const pieces = decode([bytes], { maxLineBytes }).entries as LogEntry[];
        for (const { text } of pieces) expect(Buffer.byteLength(text)).toBeLessThanOrEqual(maxLineBytes);
        const whole: Record<string, string> = { stdout: "", stderr: "" };
        const ofReference: Record<string, string> = { stdout: "", stderr: "" };
        for (const { stream, text, partial } of pieces) whole[stream] += text + (partial ? "" : "\n");
        for (const entry of readReference(bytes).entries.map(asText)) {
          ofReference[entry.stream] += entry.text + (entry.partial ? "" : "\n");
        }
        expect(whole).toEqual(ofReference);
      }),
    );
  });

  test("a physical line of 20 MiB takes no more memory than its parts", () => {
    const decoder = new LogDecoder(checkReadOptions({ encoding: "buffer" }));
    decoder.startFile("/log");
    decoder.add(Buffer.from(`${timeOf(1)} stderr F `));
    const piece = Buffer.alloc(64 * 1024, "x");
    let bytes = 0;
    let longest = 0;
    const collect = (entries: readonly (LogEntry | LogBytesEntry)[]) => {
      for (const entry of entries as LogBytesEntry[]) {
        expect(entry).toMatchObject({ stream: "stderr", timestamp: timeOf(1) });
        bytes += entry.bytes.length;
        longest = Math.max(longest, entry.bytes.length);
      }
      return entries.at(-1)?.partial;
    };
    for (let index = 0; index < 320; index++) collect(decoder.add(piece));
    expect(bytes).toBeGreaterThan(18 * 2 ** 20);
    expect(collect(decoder.add(Buffer.from(`end\n${criLine(2, "", "stderr")}`)).slice(0, -1))).toBe(false);
    expect(bytes).toBe(20 * 2 ** 20 + 3);
    expect(longest).toBe(2 ** 20);
    expect(decoder.skippedLines).toBe(0);
  });
});

describe("a log in Docker's format", () => {
  const json = (log: string, stream = "stdout", number = 1) =>
    `${JSON.stringify({ log, stream, time: timeOf(number) })}\n`;

  test("is decoded and joined", () => {
    const log = json("one\n") + json("tw", "stderr", 2) + json("\n") + json("o\n", "stderr", 3) + json("rest");
    expect(decodeText(log)).toEqual([
      { timestamp: timeOf(1), stream: "stdout", partial: false, text: "one" },
      { timestamp: timeOf(1), stream: "stdout", partial: false, text: "" },
      { timestamp: timeOf(2), stream: "stderr", partial: false, text: "two" },
      { timestamp: timeOf(1), stream: "stdout", partial: true, text: "rest" },
    ]);
  });

  test.each([
    "{}",
    "{",
    "[]",
    "null",
    '{"log":1,"stream":"stdout","time":"2026-11-23T05:55:00Z"}',
    '{"log":"","stream":"x","time":"x"}',
  ])("%s is skipped and counted", (line) => {
    const { entries, skipped } = decode([Buffer.from(`${json("a\n")}${line}\n${json("b\n")}`)]);
    expect(entries).toHaveLength(2);
    expect(skipped).toBe(1);
  });

  test("skips and counts a line that is too long to be buffered", () => {
    const { entries, skipped } = decode([Buffer.from(json("a\n") + json(`${"x".repeat(400_000)}\n`) + json("b\n"))], {
      maxLineBytes: 1_000,
    });
    expect(entries).toMatchObject([{ text: "a" }, { text: "b" }]);
    expect(skipped).toBe(1);
  });
});

describe("a malformed line", () => {
  const malformed = ["", "hello", "{}", '{"a":1}', "2026-11-23T05:55:00Z stdout"];

  test.each(malformed)("%j is skipped, counted and reported at any place", (bad) => {
    const gaps: LogGap[] = [];
    const valid = [criLine(1), criLine(2)] as const;
    const text = `${bad}\n${valid[0]}${bad}\n${valid[1]}${bad}\n`;
    const { entries, skipped } = decode([Buffer.from(text)], { onGap: (gap) => gaps.push(gap) });
    expect(entries).toMatchObject([{ text: "line 1" }, { text: "line 2" }]);
    expect(skipped).toBe(3);
    const reason = "malformed";
    const [first, second] = [bad.length + 1 + valid[0].length, 2 * bad.length + 2 + valid[0].length + valid[1].length];
    const gap = { reason, path: "/log", bytes: bad.length };
    expect(gaps).toEqual([0, first, second].map((offset) => ({ ...gap, offset })));
  });

  test.each(malformed)("%j as the only line makes the file invalid", (bad) => {
    const read = () => decodeText(`${bad}\n${bad}\n`);
    expect(read).toThrow(CriError);
    expect(read).toThrow(
      "[INVALID_RESPONSE] /log is not a container log: no line of it is in the CRI log format or in Docker's JSON",
    );
  });

  test("without a line break is not malformed, because it may still be incomplete", () => {
    expect(decode([Buffer.from("2026-11-2")])).toEqual({ entries: [], skipped: 1 });
  });
});

describe("zero bytes", () => {
  test.each([1, 64, 300_000, 3_000_000])("%d of them before a line are reported, and the line is read", (size) => {
    const gaps: LogGap[] = [];
    const hole = Buffer.alloc(size);
    const bytes = Buffer.concat([
      Buffer.from(criLine(1)),
      hole,
      Buffer.from(criLine(2)),
      hole,
      Buffer.from(criLine(3)),
    ]);
    const { entries, skipped } = decode([bytes], { onGap: (gap) => gaps.push(gap) });
    expect(entries).toMatchObject([{ text: "line 1" }, { text: "line 2" }, { text: "line 3" }]);
    expect(skipped).toBe(0);
    expect(gaps.every(({ reason }) => reason === "zeros")).toBe(true);
    expect(gaps.reduce((sum, gap) => sum + (gap.bytes ?? 0), 0)).toBe(2 * size);
    expect(gaps[0]).toMatchObject({ path: "/log", offset: criLine(1).length });
  });

  test("that a process wrote are content", () => {
    expect(decodeText(criLine(1, "a\0b\0"))).toMatchObject([{ text: "a\0b\0" }]);
  });
});

test("joins the parts of a line however far apart their timestamps are, as the kubelet does", () => {
  const log = `2026-11-23T05:55:00Z stdout P one \n2026-11-23T06:55:00Z stdout F line\n`;
  expect(decodeText(log)).toMatchObject([{ timestamp: "2026-11-23T05:55:00.000000000Z", text: "one line" }]);
});

describe('format "raw"', () => {
  test("reads plain lines", () => {
    expect(decode([Buffer.from("one\n\ntwo")], { format: "raw" })).toEqual({
      entries: [
        { timestamp: "", stream: "stdout", partial: false, text: "one" },
        { timestamp: "", stream: "stdout", partial: false, text: "" },
        { timestamp: "", stream: "stdout", partial: true, text: "two" },
      ],
      skipped: 0,
    });
  });
});

describe("arbitrary bytes", () => {
  test("cause no error other than a CriError", () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.string().map((text) => Buffer.from(`{${text}\n`)),
    );
    fc.assert(
      fc.property(bytes, fc.boolean(), (garbage, isFirst) => {
        try {
          decode([Buffer.from(isFirst ? "" : criLine(1)), Buffer.from(garbage)]);
        } catch (error) {
          expect(isFirst && CriError.is(error, "INVALID_RESPONSE")).toBe(true);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

function pieces(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const cut: Buffer[] = [];
  for (let at = 0, index = 0; at < bytes.length; index++) {
    const length = lengths[index % lengths.length] as number;
    cut.push(bytes.subarray(at, at + length));
    at += length;
  }
  return cut;
}
