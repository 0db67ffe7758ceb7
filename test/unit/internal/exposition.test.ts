import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exposition, type MetricFamily, type Sample } from "../../../src/internal/exposition.js";
import { Long } from "../../../src/proto.js";

const family = (samples: Sample[], rest: Partial<MetricFamily> = {}): MetricFamily => ({
  name: "m",
  help: "Help.",
  type: "gauge",
  samples,
  ...rest,
});

/** Reads one sample as Prometheus does: a quoted value ends at a quote without a backslash before it. */
function read(line: string): { labels: [string, string][]; rest: string } {
  const labels: [string, string][] = [];
  const inside = /^m(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (.*)$/.exec(line);
  if (!inside) throw new Error(`not a sample: ${line}`);
  for (const [, name = "", value = ""] of (inside[1] ?? "").matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
    labels.push([name, value.replace(/\\(.)/g, (_, char) => (char === "n" ? "\n" : char))]);
  }
  return { labels, rest: inside[2] ?? "" };
}

describe("exposition", () => {
  test("writes the help and type of a family once, before its samples", () => {
    const labels = (value: string) => [["a", value] as const];
    expect(
      exposition([
        family([
          { labels: labels("x"), value: "1" },
          { labels: labels("y"), value: "2" },
        ]),
      ]),
    ).toBe('# HELP m Help.\n# TYPE m gauge\nm{a="x"} 1\nm{a="y"} 2\n');
  });

  test("omits families without samples and labels without values", () => {
    expect(exposition([family([])])).toBe("");
    expect(exposition([family([{ labels: [["a", ""]], value: "1" }])])).toMatch(/^m 1$/m);
  });

  test("escapes backslashes and line breaks, and in labels also quotes", () => {
    const text = exposition([family([{ labels: [["a", 'C:\\n "x"\ny']], value: "1" }], { help: 'one\\\n"two"' })]);
    expect(text).toBe('# HELP m one\\\\\\n"two"\n# TYPE m gauge\nm{a="C:\\\\n \\"x\\"\\ny"} 1\n');
  });

  test("writes times in milliseconds, if they are known", () => {
    const at = (nanoseconds: string) =>
      exposition([family([{ labels: [], value: "1", at: Long.fromString(nanoseconds) }])]);
    expect(at("1795427472989698644")).toMatch(/^m 1 1795427472989$/m);
    expect(at("0")).toMatch(/^m 1$/m);
    expect(at("-62135596800000000")).toMatch(/^m 1$/m);
  });

  test("replaces illegal characters in names", () => {
    const labels = [["io.kubernetes.pod", "x"]] as const;
    expect(exposition([family([{ labels, value: "1" }], { name: "2nd.metric:x" })])).toContain(
      '\n_2nd_metric:x{io_kubernetes_pod="x"} 1\n',
    );
  });

  test("writes any label so that it can be read back, on one line", () => {
    const text = fc.string({ unit: "binary", minLength: 1 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.stringMatching(/^[a-z_]\w*$/), text), { maxLength: 4 }),
        text,
        (labels, help) => {
          const lines = exposition([family([{ labels, value: "7" }], { help })]).split("\n");
          expect(lines).toHaveLength(4);
          expect(read(lines[2] ?? "")).toEqual({ labels, rest: "7" });
        },
      ),
    );
  });
});
