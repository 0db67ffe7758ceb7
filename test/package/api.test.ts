/** Checks that `api/` contains the current public types, and that a report shows every change of them. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freshReports } from "../../scripts/api/fresh-reports.js";
import { apiReports } from "../../scripts/api/report.js";
import { projectRoot } from "../../scripts/lib/buf.js";

describe("api/", () => {
  let fresh: Record<string, string>;
  beforeAll(async () => {
    fresh = await freshReports();
  }, 120_000);

  test("is up to date: otherwise run `npm run api` and commit api/", () => {
    const folder = join(projectRoot, "api");
    const committed = readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")]);
    const remedy = "The public types changed: run `npm run api`, and commit api/ if the change is intended.";
    expect(Object.fromEntries(committed), remedy).toEqual(fresh);
  });

  test("has a report for each entry point", () => {
    expect(Object.keys(fresh)).toEqual([
      "index.d.ts",
      "proto.d.ts",
      "prometheus.d.ts",
      "otel.d.ts",
      "kubernetes.d.ts",
      "crictl.d.ts",
      "testing.d.ts",
    ]);
  });
});

describe("a report", () => {
  const folder = mkdtempSync(join(tmpdir(), "cri-api-test-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Writes declaration files, and returns the reports of the entry points `main` and, if it is there, `main/proto`. */
  function reports(files: Record<string, string>): Record<string, string> {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    const proto = files["proto.d.ts"] === undefined ? {} : { "main/proto": join(folder, "proto.d.ts") };
    return apiReports({ main: join(folder, "index.d.ts"), ...proto }, ["main/proto"]);
  }

  test("has types that are not exported, if an export mentions them", () => {
    const { main } = reports({
      "index.d.ts": 'export type { Options } from "./deep/options.js";\n',
      "deep/options.d.ts":
        'import type { Base } from "../base.js";\nexport interface Options extends Base { inner: Inner }\ninterface Inner { a: 1 }\ninterface Other {}\n',
      "base.d.ts": 'export interface Base { retry: import("./retry.js").Retry; }\n',
      "retry.d.ts": "export type Retry = boolean;\n",
    });
    expect(main).toBe(
      [
        "export type { Options };",
        'interface Base { retry: import("./retry.js").Retry; }',
        "interface Inner { a: 1 }",
        "interface Options extends Base { inner: Inner }",
        "type Retry = boolean;",
      ].join("\n\n"),
    );
  });

  test("distinguishes types from values, and keeps the order of overloads", () => {
    const { main } = reports({
      "index.d.ts": 'export { read } from "./read.js";\nexport type { Reader, Mode } from "./read.js";\n',
      "read.d.ts":
        "export declare function read(mode: 1): 1;\nexport declare function read(): void;\nexport declare class Reader {}\nexport type Mode = 1;\n",
    });
    expect(main).toBe(
      [
        "export type { Mode };\nexport type { Reader };\nexport { read };",
        "type Mode = 1;",
        "declare class Reader {}",
        "declare function read(mode: 1): 1;",
        "declare function read(): void;",
      ].join("\n\n"),
    );
  });

  test("has no comments except tags that warn, and no private members except constructors", () => {
    const { main } = reports({
      "index.d.ts": `/** A client. @deprecated use another */
export declare class Client {
    #private;
    private secret;
    private constructor();
    /**
     * Connects.
     * @experimental
     */
    connect(): void;
    /** Closes. */
    close(): void;
}
`,
    });
    expect(main?.replace(/^ +/gm, "")).toBe(
      `export { Client };\n\n/** @deprecated */\ndeclare class Client {\nprivate constructor();\n/** @experimental */\nconnect(): void;\nclose(): void;\n}`,
    );
  });

  test("names the source of types of other packages, next to the declaration if the name is ambiguous", () => {
    const { main } = reports({
      "index.d.ts": 'export { Pod } from "./pod.js";\nexport type { Event } from "./event.js";\n',
      "pod.d.ts":
        'import type { Pod as PodMessage } from "./proto.js";\nimport type { Readable } from "node:stream";\nexport declare class Pod { message: PodMessage; out: Readable }\n',
      "event.d.ts": 'import type { Pod } from "./proto.js";\nexport interface Event { pod: Pod }\n',
      "proto.d.ts": "export interface Pod { id: string }\nexport declare const Pod: 1;\n",
    });
    expect(main).toBe(
      [
        "export type { Event };\nexport { Pod };",
        'import type { Pod as PodMessage } from "main/proto";\nimport type { Readable } from "node:stream";',
        '// import type { Pod } from "main/proto";\ninterface Event { pod: Pod }',
        "declare class Pod { message: PodMessage; out: Readable }",
      ].join("\n\n"),
    );
  });

  test("has only names for an opaque entry point", () => {
    const found = reports({
      "index.d.ts": 'export { Pod } from "./proto.js";\n',
      "proto.d.ts": 'export * from "./generated.js";\nexport declare const Long: 1;\n',
      "generated.d.ts":
        "export interface Pod { id: string }\nexport declare const Pod: 1;\nexport interface Mount {}\n",
    });
    expect(found).toEqual({
      main: 'export { Pod } from "main/proto";',
      "main/proto": "export { Long };\nexport type { Mount };\nexport { Pod };",
    });
  });
});
