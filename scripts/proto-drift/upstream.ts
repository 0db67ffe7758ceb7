/**
 * The upstream schema: a file from the command line, or the one in Debian's newest package of Kubernetes' CRI API.
 *
 * @module
 */
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { FileDescriptorSet } from "@bufbuild/protobuf/wkt";
import { fetchPackages, packageVersion } from "../../test/runtime/lab/debian.js";
import { compileSchema } from "../lib/schema.js";

const debianPackage = "golang-k8s-cri-api-dev";
const pathInPackage = "usr/share/gocode/src/k8s.io/cri-api/pkg/apis/runtime/v1/api.proto";

/** A schema and its name in the report. */
export interface Upstream {
  readonly name: string;
  readonly file: string;
}

/** Returns Debian's copy. Downloads it on first use and keeps it in the cache folder. */
export async function debianUpstream(): Promise<Upstream> {
  const root = await fetchPackages("forky", [debianPackage]);
  return { name: `${debianPackage} ${await packageVersion("forky", debianPackage)}`, file: join(root, pathInPackage) };
}

/** Returns a file that the user named. @throws Error if it does not exist */
export function fileUpstream(file: string): Upstream {
  if (!existsSync(file)) throw new Error(`there is no file ${file}`);
  return { name: file, file: resolve(file) };
}

/** Compiles an upstream schema in a folder below `temporary`, at the same relative path as our schema. */
export function compileUpstream(upstream: Upstream, temporary: string): FileDescriptorSet {
  const folder = join(temporary, "upstream");
  const target = join(folder, "runtime", "v1", "api.proto");
  mkdirSync(dirname(target), { recursive: true });
  cpSync(upstream.file, target);
  if (readFileSync(target, "utf8").includes(gogoPath)) {
    mkdirSync(dirname(join(folder, gogoPath)), { recursive: true });
    writeFileSync(join(folder, gogoPath), gogoStub);
  }
  return compileSchema(folder);
}

const gogoPath = "github.com/gogo/protobuf/gogoproto/gogo.proto";

// Up to Kubernetes 1.33, the schema imports this file for options of Go's code generator. They do not affect the wire format, so
// declaring their names is enough to compile.
const gogoStub = `syntax = "proto2";
package gogoproto;
import "google/protobuf/descriptor.proto";
extend google.protobuf.FileOptions {
  optional bool goproto_getters_all = 63001;
  optional bool goproto_enum_prefix_all = 63002;
  optional bool goproto_stringer_all = 63003;
  optional bool stringer_all = 63008;
  optional bool marshaler_all = 63017;
  optional bool unmarshaler_all = 63018;
  optional bool sizer_all = 63020;
  optional bool goproto_unrecognized_all = 63026;
  optional bool populate_all = 63011;
  optional bool equal_all = 63013;
}
extend google.protobuf.MessageOptions {
  optional bool goproto_getters = 64001;
  optional bool goproto_stringer = 64003;
}
extend google.protobuf.FieldOptions {
  optional bool nullable = 65001;
  optional bool embed = 65002;
  optional string customtype = 65003;
  optional string customname = 65004;
}
`;
