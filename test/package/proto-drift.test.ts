/**
 * Tests `npm run proto:drift` with small changes of the schema, with a schema in the form of old Kubernetes releases, and with the
 * newest published schema.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { protoDrift } from "../../scripts/proto-drift/drift.js";

const ours = readFileSync(new URL("../../proto/runtime/v1/api.proto", import.meta.url), "utf8");
const folder = mkdtempSync(join(tmpdir(), "cri-drift-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;

/** Writes our schema with changes to a file, which stands for the upstream schema. */
function upstream(...changes: readonly (readonly [from: string | RegExp, to: string])[]): string {
  let text = ours;
  for (const [from, to] of changes) {
    const changed = text.replace(from, to);
    if (changed === text) throw new Error(`nothing to replace: ${from}`);
    text = changed;
  }
  const file = join(folder, `upstream-${files++}.proto`);
  writeFileSync(file, text);
  return file;
}

interface Json {
  agrees: boolean;
  same: number;
  missing: { kind: string; name: string; number?: number }[];
  surplus: { name: string }[];
  newer: { name: string }[];
  wire: { ours: { name: string }; what: string }[];
  names: { ours: { name: string }; what: string }[];
  text: { ours: { name: string }; what: string }[];
  options: { ours: { name: string }; what: string }[];
  breaking: { theirsToOurs: { rule: string }[]; oursToTheirs: { rule: string }[] };
}

async function drift(file: string, ...args: string[]): Promise<{ code: number; json: Json }> {
  let output = "";
  const code = await protoDrift([file, "--json", ...args], (text) => {
    output += text;
  });
  return { code, json: JSON.parse(output) as Json };
}

async function text(...args: string[]): Promise<{ code: number; output: string }> {
  let output = "";
  const code = await protoDrift(args, (line) => {
    output += line;
  });
  return { code, output };
}

describe("proto:drift reports no drift", () => {
  it("between equal schemas", async () => {
    const { code, json } = await drift(upstream());
    expect(code).toBe(0);
    expect(json).toMatchObject({
      agrees: true,
      missing: [],
      surplus: [],
      newer: [],
      wire: [],
      names: [],
      text: [],
      options: [],
    });
    expect(json.same).toBeGreaterThan(750);
  });

  it("if only comments differ", async () => {
    const { code, json } = await drift(upstream([/^ *\/\/.*\n/gm, ""]));
    expect(code).toBe(0);
    expect(json.same).toBeGreaterThan(750);
  });

  it("if only names, string types and options differ, and lists them", async () => {
    const { code, json } = await drift(
      upstream(
        [/SIGNAL_(\w+ =)/g, "$1"],
        ["string user_specified_image = 18", "string wanted_image = 18"],
        ["bytes value = 2", "string value = 2"],
        [" [debug_redact = true]", ""],
      ),
    );
    expect(code).toBe(0);
    const names = json.names.map(({ what }) => what);
    expect(names).toHaveLength(67);
    expect(names).toContain("SIGNAL_SIGTERM here, SIGTERM there");
    expect(names).toContain("user_specified_image here, wanted_image there");
    expect(json.text).toMatchObject([{ ours: { name: "KeyValue.value" }, what: "bytes here, string there" }]);
    expect(json.options).toMatchObject([
      { ours: { name: "AuthConfig.password" }, what: "debug_redact here, no option there" },
    ]);
  });

  it("if upstream lacks only elements of Kubernetes 1.37, and lists them as newer", async () => {
    const { code, json } = await drift(
      upstream(
        [/ *rpc CheckpointPod.*\n/, ""],
        [/message CheckpointPod(Request|Response) \{[^}]*\}/g, ""],
        [/ *repeated string mount_options.*\n/, ""],
      ),
    );
    expect(code).toBe(0);
    expect(json.newer.map((element) => element.name)).toEqual([
      "RuntimeService.CheckpointPod",
      "Mount.mount_options",
      "CheckpointPodRequest",
      "CheckpointPodResponse",
    ]);
    expect(json.breaking).toEqual({ theirsToOurs: [], oursToTheirs: [] });
  });

  it("if upstream is older and --latest names its release", async () => {
    const old = upstream([/ *string image_sub_path.*\n/, ""]);
    expect((await drift(old)).code).toBe(1);
    expect((await drift(old, "--latest", "1.32")).code).toBe(0);
  });
});

describe("proto:drift reports drift", () => {
  it("of numbers, types, cardinalities and streaming", async () => {
    const { code, json } = await drift(
      upstream(
        ["string hostname = 2", "string hostname = 20"],
        ["int32 exit_code = 7", "int64 exit_code = 7"],
        ["repeated string command = 3", "string command = 3"],
        ["map<string, string> sysctls = 3", "repeated string sysctls = 3"],
        ["returns (stream StreamImagesResponse)", "returns (StreamImagesResponse)"],
        ["UDP = 1", "UDP = 7"],
      ),
    );
    expect(code).toBe(1);
    expect(json.agrees).toBe(false);
    // The descriptions of RPCs are longer.
    const found = json.wire.map(({ ours, what }) => `${ours.name}: ${what.replace(/\(\w+\) → | there.*/g, "")}`);
    expect(found.sort()).toEqual([
      "ContainerConfig.command: repeated string here, string",
      "ContainerStatus.exit_code: int32 here, int64",
      "ImageService.StreamImages: stream StreamImagesResponse here, StreamImagesResponse",
      "LinuxPodSandboxConfig.sysctls: map<string, string> here, repeated string",
      "PodSandboxConfig.hostname: number 2 here, 20",
      "Protocol.UDP: number 1 here, 7",
    ]);
  });

  it("if our schema lacks a field, an RPC, an enum value or a message, and names a message once", async () => {
    const { code, json } = await drift(
      upstream(
        ["string hostname = 2;", "string hostname = 2; string domain = 90;"],
        ["rpc ListImages(", "rpc MountImage(ListImagesRequest) returns (ListImagesResponse); rpc ListImages("],
        ["SCTP = 2;", "SCTP = 2; QUIC = 3;"],
        ["message PodIP {", "message Extra { string a = 1; string b = 2; }\nmessage PodIP {"],
      ),
    );
    expect(code).toBe(1);
    const missing = json.missing.map(({ name }) => name);
    expect(missing.sort()).toEqual(["Extra", "ImageService.MountImage", "PodSandboxConfig.domain", "Protocol.QUIC"]);
    expect(json.breaking.theirsToOurs.length).toBeGreaterThan(0);
  });

  it("if upstream lacks an element that its release has", async () => {
    const { code, json } = await drift(upstream([/ *string hostname = 2;\n/, ""]));
    expect(code).toBe(1);
    expect(json.surplus.map((element) => element.name)).toEqual(["PodSandboxConfig.hostname"]);
    expect(json.breaking.oursToTheirs.length).toBeGreaterThan(0);
  });

  it("as text, with the next step", async () => {
    const { code, output } = await text(upstream(["string hostname = 2", "string hostname = 20"]));
    expect(code).toBe(1);
    expect(output).toContain("Different on the wire (1):\n  field PodSandboxConfig.hostname: number 2 here, 20 there");
    expect(output).toContain("npm run generate");
  });
});

describe("proto:drift reads a file", () => {
  it("of Kubernetes before 1.34, with options of Go's generator", async () => {
    const old = upstream(
      [
        "package runtime.v1;",
        `package runtime.v1;
option go_package = "example.com/v1";
import "github.com/gogo/protobuf/gogoproto/gogo.proto";
option (gogoproto.goproto_stringer_all) = false;
option (gogoproto.stringer_all) = true;
option (gogoproto.goproto_getters_all) = true;
option (gogoproto.marshaler_all) = true;
option (gogoproto.sizer_all) = true;
option (gogoproto.unmarshaler_all) = true;
option (gogoproto.goproto_unrecognized_all) = false;`,
      ],
      [/ \[debug_redact = true\]/g, ""],
    );
    const { code, json } = await drift(old);
    expect(code).toBe(0);
    expect(json.options).toHaveLength(4);
  });

  it.each([
    ["that does not exist", () => join(folder, "nowhere.proto"), /there is no file/],
    [
      "with a syntax error",
      () => upstream(["service ImageService {", "service ImageService"]),
      /could not compare[\s\S]*api\.proto:\d+/,
    ],
    [
      "of another protobuf package",
      () => upstream(["package runtime.v1;", "package other.v1;"]),
      /declares no elements of the package runtime\.v1/,
    ],
  ])("and refuses one %s, with exit code 2", async (_, file, message) => {
    const { code, output } = await text(file());
    expect(code).toBe(2);
    expect(output).toMatch(message);
  });

  it("and refuses a --latest that is no release", async () => {
    expect(await text("--latest", "36")).toMatchObject({ code: 2, output: expect.stringContaining("such as 1.") });
  });
});

describe("the newest schema in Debian", async () => {
  const hasApt = await promisify(execFile)("apt-get", ["--version"]).then(
    () => true,
    () => false,
  );
  if (!hasApt)
    console.warn("SKIPPED: without apt-get, our schema is not compared with golang-k8s-cri-api-dev of Debian.");

  it.skipIf(!hasApt)("has no drift, as the command reports", async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", "scripts/proto-drift/main.ts"], {
      cwd: new URL("../..", import.meta.url),
    });
    expect(stdout).toContain("golang-k8s-cri-api-dev");
    expect(stdout).toContain("No drift");
  });
});
