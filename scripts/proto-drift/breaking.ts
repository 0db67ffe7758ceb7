/**
 * A second opinion on compatibility: `buf breaking`, in both directions.
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

/** One complaint of buf. */
export interface BreakingFinding {
  readonly rule: string;
  readonly message: string;
}

/** What buf says about each direction; empty lists mean that the two sides understand each other. */
export interface BreakingResult {
  /** Reading what they write: theirs is the old schema, ours the new one. */
  readonly theirsToOurs: readonly BreakingFinding[];
  /** Writing what they read: ours is the old schema, theirs the new one. */
  readonly oursToTheirs: readonly BreakingFinding[];
}

/** Asks buf about both directions, with the expected differences taken out of our side beforehand. */
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
  return { theirsToOurs: ask(oursFile, theirsFile), oursToTheirs: ask(theirsFile, oursFile) };
}

// PACKAGE rules find what is gone, WIRE rules what is read differently. Names of fields and values and the way of
// generating code for other languages are none of this check's business.
const config = JSON.stringify({
  version: "v2",
  breaking: {
    use: ["WIRE", "PACKAGE_MESSAGE_NO_DELETE", "PACKAGE_ENUM_NO_DELETE", "PACKAGE_SERVICE_NO_DELETE", "RPC_NO_DELETE"],
  },
});

function ask(input: string, against: string): BreakingFinding[] {
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

/** Our schema as it was before the additions that they cannot have, and with text declared as they declare it. */
function withoutExpected(ours: FileDescriptorSet, drift: Drift): FileDescriptorSet {
  const set = onlyCri(ours);
  const gone = new Set(drift.newer.map((element) => `${element.kind} ${element.name}`));
  const theirType = new Map(drift.text.map((difference) => [difference.ours.name, difference.theirs.type]));

  const prune = (message: DescriptorProto, name: string) => {
    message.field = message.field.filter((field) => !gone.has(`field ${name}.${field.name}`));
    for (const field of message.field) {
      const type = theirType.get(`${name}.${field.name}`);
      if (type)
        field.type = type.includes("bytes") ? FieldDescriptorProto_Type.BYTES : FieldDescriptorProto_Type.STRING;
    }
    for (const nested of message.nestedType) prune(nested, `${name}.${nested.name}`);
    for (const nested of message.enumType) {
      nested.value = nested.value.filter((value) => !gone.has(`value ${name}.${nested.name}.${value.name}`));
    }
  };

  for (const file of set.file) {
    file.messageType = file.messageType.filter((message) => !gone.has(`message ${message.name}`));
    file.enumType = file.enumType.filter((each) => !gone.has(`enum ${each.name}`));
    for (const message of file.messageType) prune(message, message.name);
    for (const each of file.enumType)
      each.value = each.value.filter((value) => !gone.has(`value ${each.name}.${value.name}`));
    for (const service of file.service)
      service.method = service.method.filter((rpc) => !gone.has(`rpc ${service.name}.${rpc.name}`));
  }
  return set;
}

/** A copy with nothing but the files of CRI, and without the positions that no longer fit once elements are removed. */
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
