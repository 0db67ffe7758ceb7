import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  fromCrictlContainerConfig,
  fromCrictlPodConfig,
  toCrictlContainerConfig,
  toCrictlPodConfig,
} from "../../../src/crictl/index.js";
import { type DocumentFault, InvalidDocumentError, InvalidInputError } from "../../../src/errors.js";
import { type Fields, shapeOf } from "../../../src/internal/message-shape.js";
import { ContainerConfig, Long, PodSandboxConfig, Protocol } from "../../../src/proto.js";
import { anyMessage } from "../json/any-message.js";

const metadata = 'metadata: { name: p, namespace: default, uid: "1" }\n';

function faultsOf(read: () => unknown): readonly DocumentFault[] {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidDocumentError);
    return (error as InvalidDocumentError).faults;
  }
  throw new Error("expected an error");
}

/** Reads a pod leniently. Returns the message and what was ignored, as `line:column path`. */
function lenient(text: string): { config: PodSandboxConfig; ignored: string[] } {
  const ignored: string[] = [];
  const config = fromCrictlPodConfig(text, {
    onIgnored: ({ line, column, path }) => ignored.push(`${line}:${column} ${path}`),
  });
  return { config, ignored };
}

describe("fromCrictlPodConfig", () => {
  test("reads YAML and JSON, with keys in snake_case and camelCase, and enums by number and name", () => {
    const expected = PodSandboxConfig.fromPartial({
      metadata: { name: "p", namespace: "default", uid: "1", attempt: 2 },
      logDirectory: "/tmp",
      portMappings: [
        { protocol: Protocol.UDP, containerPort: 53, hostPort: 8 },
        { protocol: Protocol.SCTP, containerPort: 80 },
      ],
      linux: { securityContext: { runAsUser: { value: 1000 } } },
    });
    const yaml = `# a pod
metadata: &m
  name: p
  namespace: default
  uid: "1"
  attempt: 2
log_directory: /tmp
port_mappings:
- { protocol: 1, container_port: 0x35, host_port: 010 }
- { protocol: SCTP, containerPort: "80" }
linux: { security_context: { run_as_user: { value: 1_000 } } }
`;
    expect(fromCrictlPodConfig(yaml)).toEqual(expected);
    expect(fromCrictlPodConfig(JSON.stringify(PodSandboxConfig.toJSON(expected)))).toEqual(expected);
    expect(fromCrictlPodConfig(PodSandboxConfig.toJSON(expected) as object)).toEqual(expected);
  });

  test("generates a random uid if there is none", () => {
    const text = "metadata: { name: p, namespace: default }";
    const uids = [1, 2].map(() => fromCrictlPodConfig(text).metadata?.uid);
    expect(uids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/);
    expect(uids[1]).not.toBe(uids[0]);
  });

  test("refuses all faults in one error, each with path, line and column", () => {
    const text = `metadata:
  name: p
resources: {}
labels: { a: 1, b: yes }
log_diretory: /tmp
linux:
  namespaces: { options: {} }
port_mappings:
- container_port: 80
- container_port: eighty
`;
    const faults = faultsOf(() => fromCrictlPodConfig(text));
    expect(faults).toEqual([
      { path: "resources", line: 3, column: 1, message: "unknown field; did you mean linux.resources?" },
      {
        path: "labels.a",
        line: 4,
        column: 11,
        message: "is a number, which crictl converts to a string; put it in quotes",
      },
      {
        path: "labels.b",
        line: 4,
        column: 17,
        message: "is a boolean, which crictl converts to a string; put it in quotes",
      },
      { path: "log_diretory", line: 5, column: 1, message: "unknown field; did you mean log_directory?" },
      {
        path: "linux.namespaces",
        line: 7,
        column: 3,
        message: "unknown field; known are cgroup_parent, security_context, sysctls, overhead, resources",
      },
      {
        path: "port_mappings[1].container_port",
        line: 10,
        column: 3,
        message: 'must be a whole number, got "eighty"',
      },
      { path: "metadata.namespace", line: 1, column: 1, message: "is required" },
    ]);
    const message = (() => {
      try {
        return fromCrictlPodConfig(text);
      } catch (error) {
        return (error as Error).message;
      }
    })();
    expect(message).toContain("crictl pod config: has 7 faults:\n  line 3, column 1: resources: unknown field;");
    expect(message).toMatch(/\n {2}crictl would ignore 5 of these faults; set the option onIgnored/);
  });

  test("reads like crictl with onIgnored, and reports what it ignores or converts", () => {
    const { config, ignored } = lenient(`${metadata}resources: {}
labels: { a: 1, b: yes, c: 0755, d: 1.10, e: ~, f: 12:30 }
hostname: first
hostname: second
linux: { namespaces: { options: {} } }
---
metadata: {}
`);
    expect(config).toEqual(
      PodSandboxConfig.fromPartial({
        metadata: { name: "p", namespace: "default", uid: "1" },
        labels: { a: "1", b: "true", c: "493", d: "1.1", e: "", f: "12:30" },
        hostname: "second",
        linux: {},
      }),
    );
    expect(ignored).toEqual([
      "5:1 ",
      "8:1 ",
      "2:1 resources",
      "3:11 labels.a",
      "3:17 labels.b",
      "3:25 labels.c",
      "3:34 labels.d",
      "3:43 labels.e",
      "6:10 linux.namespaces",
    ]);
  });

  test.each([
    ["1.5", "1.5"],
    ["1e3", "1000"],
    ["1234567.5", "1.2345675e+06"],
    ["0.00001234", "1.234e-05"],
    ["16777217.5", "1.6777218e+07"],
    ["18446744073709551615", "18446744073709551615"],
    ["18446744073709551616", "1.8446744e+19"],
    ["-0b11", "-3"],
    ["190:20:30", "190:20:30"],
    ["2026-01-01", "2026-01-01"],
    ["!!str 0755", "0755"],
    ['"yes"', "yes"],
  ])("converts the label %s as crictl does", (written, read) => {
    expect(lenient(`${metadata}labels:\n  k: ${written}\n`).config.labels).toEqual({ k: read });
  });

  test.each([
    ["a number with a string", "port_mappings: [{ container_port: eighty }]", "port_mappings[0].container_port"],
    [
      "a boolean with a string",
      'linux: { security_context: { privileged: "true" } }',
      "linux.security_context.privileged",
    ],
    ["a field in two spellings", "log_directory: /a\nlogDirectory: /b", "logDirectory"],
    ["an object in a map of strings", "labels: { a: { b: c } }", "labels.a"],
    ["a list in place of an object", "linux: []", "linux"],
  ])("refuses %s, also with onIgnored", (_, line, path) => {
    const faults = faultsOf(() => fromCrictlPodConfig(`${metadata}${line}`, { onIgnored: () => {} }));
    expect(faults.map((fault) => fault.path)).toEqual([path]);
  });

  test("reads anchors, aliases and merge keys", () => {
    const { config } = lenient(`${metadata}x: &m { hostname: h, log_directory: /m }
<<: *m
log_directory: /own
labels: &l { a: b }
annotations: *l
`);
    expect(config).toMatchObject({ hostname: "h", logDirectory: "/own", labels: { a: "b" }, annotations: { a: "b" } });
  });

  test.each([
    ["malformed YAML", "metadata: { name: [}", "is not valid YAML"],
    ["an empty file", "", "is empty"],
    ["a list", "[1]", "must be an object, got an array"],
    ["very deep nesting", "[".repeat(100_000), "is nested more than 200 levels deep"],
    ["aliases that expand to very much", bomb(), "the aliases of the document expand to more than"],
    ["a very large text", " ".repeat(3 * 2 ** 20 + 1), "bytes, at most"],
  ])("refuses %s", (_, text, message) => {
    expect(faultsOf(() => fromCrictlPodConfig(text))[0]?.message).toContain(message);
  });

  test("refuses values that are neither text nor objects, with the remedy for bytes", () => {
    expect(() => fromCrictlPodConfig(Buffer.from(metadata) as never)).toThrow(/got bytes; decode it/);
    expect(() => fromCrictlPodConfig(undefined as never)).toThrow("must be text or an object, got undefined");
    expect(() => fromCrictlPodConfig(metadata, { onIgnore: () => {} } as never)).toThrow("did you mean onIgnored?");
    expect(() => fromCrictlPodConfig(metadata, { onIgnored: true } as never)).toThrow("onIgnored: must be a function");
  });

  test("ends with a thousand faults, of which the message shows twenty", () => {
    const text = `${metadata}${Array.from({ length: 5_000 }, (_, i) => `zzz${i}: 1`).join("\n")}`;
    const error = (() => {
      try {
        return fromCrictlPodConfig(text);
      } catch (thrown) {
        return thrown as InvalidDocumentError;
      }
    })() as InvalidDocumentError;
    expect(error.faults).toHaveLength(1_000);
    expect(error.message).toContain("and 980 more");
  });

  test("never throws another error for any text", () => {
    const line = fc.constantFrom(
      "a: b",
      "- x",
      "metadata: { name: p }",
      "labels: &a { x: *a }",
      "<<: *a",
      "? [",
      '"',
      "%YAML 9",
      "\t",
      "k: !!int x",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(line).map((lines) => lines.join("\n")),
          fc.json(),
        ),
        (text) => {
          try {
            fromCrictlPodConfig(text);
          } catch (error) {
            expect(error).toBeInstanceOf(InvalidInputError);
          }
        },
      ),
    );
  });
});

/** A document whose aliases double its size with every line. */
function bomb(): string {
  const lines = Array.from({ length: 30 }, (_, i) => `k${i + 1}: &a${i + 1} [*a${i}, *a${i}]`);
  return `k0: &a0 [1]\n${lines.join("\n")}`;
}

describe("fromCrictlContainerConfig", () => {
  const base = 'metadata: { name: c }\nimage: { image: "busybox:1" }\n';

  test("reads values of environment variables as text, and completes user_specified_image", () => {
    const values = ["/usr/bin:/bin", "xterm", "8080", "prod", "true", "info", "", "grün"];
    const config = fromCrictlContainerConfig(
      JSON.stringify({
        metadata: { name: "c" },
        image: { image: "busybox:1" },
        envs: values.map((value) => ({ key: "K", value })),
      }),
    );
    expect(config.envs.map(({ value }) => Buffer.from(value).toString())).toEqual(values);
    expect(config.image).toMatchObject({ image: "busybox:1", userSpecifiedImage: "busybox:1" });
    expect(
      fromCrictlContainerConfig({ metadata: { name: "c" }, image: { image: "sha256:1", user_specified_image: "b" } })
        .image,
    ).toMatchObject({ image: "sha256:1", userSpecifiedImage: "b" });
  });

  test("refuses a value of an environment variable that YAML does not read as a string, without showing it", () => {
    const read = () =>
      fromCrictlContainerConfig(`${base}envs:\n- key: A\n  value: 424242\n- key: B\n  value: yes`, {
        onIgnored: () => {},
      });
    expect(faultsOf(read)).toEqual([
      { path: "envs[0].value", line: 5, column: 3, message: "must be a string, got a number; put it in quotes" },
      { path: "envs[1].value", line: 7, column: 3, message: "must be a string, got a boolean; put it in quotes" },
    ]);
    expect(read).not.toThrow("424242");
  });

  test("shows no part of a malformed text, which may be a secret", () => {
    for (const text of [
      `${base}envs: [{ key: A, value: "hunter2`,
      `${base}hunter2`,
      `{"a": "hunter2" "b"`,
      "a: b: hunter2",
    ]) {
      expect(() => fromCrictlContainerConfig(text)).toThrow(InvalidDocumentError);
      expect(() => fromCrictlContainerConfig(text)).not.toThrow("hunter2");
    }
  });

  test("requires a name and an image", () => {
    const faults = faultsOf(() => fromCrictlContainerConfig("command: [a]"));
    expect(faults.map(({ path }) => path)).toEqual(["metadata.name", "image.image"]);
  });

  test("reads 64-bit numbers exactly", () => {
    const config = fromCrictlContainerConfig(`${base}linux:
  resources:
    memory_limit_in_bytes: 9223372036854771712
    hugepage_limits: [{ page_size: 2MB, limit: 18446744073709551615 }, { page_size: 1GB, limit: "18446744073709551614" }]
`);
    const { memoryLimitInBytes, hugepageLimits } = config.linux!.resources!;
    expect(memoryLimitInBytes).toEqual(Long.fromString("9223372036854771712"));
    expect(hugepageLimits.map(({ limit }) => limit.toString())).toEqual([
      "18446744073709551615",
      "18446744073709551614",
    ]);
  });
});

describe("toCrictlPodConfig and toCrictlContainerConfig", () => {
  test("write Go's JSON: snake_case, numbers with all digits, environment as text", () => {
    const config = ContainerConfig.fromPartial({
      metadata: { name: "c" },
      image: { image: "b", userSpecifiedImage: "b" },
      envs: [{ key: "A", value: Buffer.from("8080") }],
      linux: { resources: { memoryLimitInBytes: Long.fromString("9223372036854771712") } },
    });
    expect(toCrictlContainerConfig(config)).toBe(`{
  "metadata": {
    "name": "c"
  },
  "image": {
    "image": "b",
    "user_specified_image": "b"
  },
  "envs": [
    {
      "key": "A",
      "value": "8080"
    }
  ],
  "linux": {
    "resources": {
      "memory_limit_in_bytes": 9223372036854771712
    }
  }
}
`);
  });

  test("escape the characters that a parser of YAML 1.1 takes for line breaks or refuses", () => {
    const annotations = { k: "a\u0085b\u2028c\u2029d\u007fe\ufefff" };
    const text = toCrictlPodConfig(PodSandboxConfig.fromPartial({ metadata: { name: "p" }, annotations }));
    expect(text).toContain('"k": "a\\u0085b\\u2028c\\u2029d\\u007fe\\ufefff"');
  });

  test("refuse a value of an environment variable that is not UTF-8", () => {
    const config = ContainerConfig.fromPartial({ envs: [{ key: "A", value: Uint8Array.of(0xff) }] });
    expect(() => toCrictlContainerConfig(config)).toThrow(/^\[INVALID_INPUT\] envs\[0\]\.value: is not UTF-8/);
  });

  const utf8 = fc.string({ unit: "binary", maxLength: 20 }).map((text) => new TextEncoder().encode(text));

  test("write every pod so that it is read back as it was", () => {
    fc.assert(
      fc.property(anyMessage(shapeOf(PodSandboxConfig)), (fields: Fields) => {
        const config = { ...fields, metadata: { name: "p", namespace: "n", uid: "u", attempt: 0 } } as never;
        expect(fromCrictlPodConfig(toCrictlPodConfig(config))).toEqual(PodSandboxConfig.fromPartial(config));
      }),
      { numRuns: 20 },
    );
  });

  test("write every container so that it is read back as it was", () => {
    const image = { image: "i", userSpecifiedImage: "i", annotations: {}, runtimeHandler: "" };
    fc.assert(
      fc.property(anyMessage(shapeOf(ContainerConfig), utf8), (fields: Fields) => {
        const config = { ...fields, metadata: { name: "c", attempt: 0 }, image } as never;
        expect(fromCrictlContainerConfig(toCrictlContainerConfig(config))).toEqual(ContainerConfig.fromPartial(config));
      }),
      { numRuns: 20 },
    );
  });
});
