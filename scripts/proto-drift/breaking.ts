/**
 * Checks compatibility in both directions with `buf breaking`, independently of our own comparison.
 *
 * @module
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { clone, toBinary } from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  FieldDescriptorProto_Type,
  type FileDescriptorSet,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import { buf } from "../lib/buf.js";
import { criPackage } from "../lib/schema.js";
import type { Drift } from "./compare.js";

/** One finding of buf. */
export interface BreakingFinding {
  readonly rule: string;
  readonly message: string;
}

/** The findings of buf in each direction. Empty lists mean that the schemas are compatible. */
export interface BreakingResult {
  /** We read their messages: theirs is the old schema, ours the new one. */
  readonly theirsToOurs: readonly BreakingFinding[];
  /** They read our messages: ours is the old schema, theirs the new one. */
  readonly oursToTheirs: readonly BreakingFinding[];
}

/** Runs buf in both directions, on our schema without the expected differences. */
export function breaking(
  ours: FileDescriptorSet,
  theirs: FileDescriptorSet,
  drift: Drift,
  temporary: string,
): BreakingResult {
  const oursFile = join(temporary, "ours.binpb");
  const theirsFile = join(temporary, "theirs.binpb");
  writeFileSync(oursFile, toBinary(FileDescriptorSetSchema, withoutExpected(ours, drift)));
  writeFileSync(theirsFile, toBinary(FileDescriptorSetSchema, onlyCri(theirs)));
  return { theirsToOurs: runBreaking(oursFile, theirsFile), oursToTheirs: runBreaking(theirsFile, oursFile) };
}

// PACKAGE rules find removed elements, WIRE rules find changes of the wire format. Names of fields and values, and options of code
// generators, are not checked here.
const config = JSON.stringify({
  version: "v2",
  breaking: {
    use: ["WIRE", "PACKAGE_MESSAGE_NO_DELETE", "PACKAGE_ENUM_NO_DELETE", "PACKAGE_SERVICE_NO_DELETE", "RPC_NO_DELETE"],
  },
});

function runBreaking(input: string, against: string): BreakingFinding[] {
  const result = buf(
    "breaking",
    input,
    "--against",
    against,
    "--config",
    config,
    "--against-config",
    config,
    "--error-format",
    "json",
  );
  const output = result.stdout.toString();
  if (result.status !== 0 && output.trim() === "") throw new Error(`buf breaking failed:\n${result.stderr}`);
  return output
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const { type, message } = JSON.parse(line) as { type: string; message: string };
      return { rule: type, message };
    });
}

/** Returns our schema without the elements that are newer than theirs, and with their choice of string or bytes. */
function withoutExpected(ours: FileDescriptorSet, drift: Drift): FileDescriptorSet {
  const set = onlyCri(ours);
  const newer = new Set(drift.newer.map((element) => `${element.kind} ${element.name}`));
  const theirType = new Map(drift.text.map((difference) => [difference.ours.name, difference.theirs.type]));

  const prune = (message: DescriptorProto, name: string) => {
    message.field = message.field.filter((field) => !newer.has(`field ${name}.${field.name}`));
    for (const field of message.field) {
      const type = theirType.get(`${name}.${field.name}`);
      if (type)
        field.type = type.includes("bytes") ? FieldDescriptorProto_Type.BYTES : FieldDescriptorProto_Type.STRING;
    }
    for (const nested of message.nestedType) prune(nested, `${name}.${nested.name}`);
    for (const nested of message.enumType) {
      nested.value = nested.value.filter((value) => !newer.has(`value ${name}.${nested.name}.${value.name}`));
    }
  };

  for (const file of set.file) {
    file.messageType = file.messageType.filter((message) => !newer.has(`message ${message.name}`));
    file.enumType = file.enumType.filter((each) => !newer.has(`enum ${each.name}`));
    for (const message of file.messageType) prune(message, message.name);
    for (const each of file.enumType)
      each.value = each.value.filter((value) => !newer.has(`value ${each.name}.${value.name}`));
    for (const service of file.service)
      service.method = service.method.filter((rpc) => !newer.has(`rpc ${service.name}.${rpc.name}`));
  }
  return set;
}

/** Returns a copy with the files of CRI only, and without source positions, which would be wrong once elements are removed. */
function onlyCri(set: FileDescriptorSet): FileDescriptorSet {
  const copy = clone(FileDescriptorSetSchema, set);
  copy.file = copy.file.filter((file) => file.package === criPackage);
  for (const file of copy.file) {
    delete file.sourceCodeInfo;
    delete file.options;
    file.dependency = [];
  }
  return copy;
}
