/**
 * A plugin of buf and protoc, started by buf.gen.yaml. Writes decoders of all replies beside ts-proto's output, for the same types.
 *
 * The decoders accept, reject and return the same as those of ts-proto; test/unit/transport/reply-decoders.test.ts checks that.
 * They are faster for three reasons:
 *
 * - They do not check the depth, because no message of CRI contains itself.
 * - They write map entries directly into the map.
 * - They read 64-bit integers directly into a Long.
 *
 * @module
 */
import { buffer } from "node:stream/consumers";
import { create, createFileRegistry, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  CodeGeneratorRequestSchema,
  CodeGeneratorResponse_Feature,
  CodeGeneratorResponseSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import { decodersOf } from "./source.js";

const request = fromBinary(CodeGeneratorRequestSchema, await buffer(process.stdin));
const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: request.protoFile }));
const files = request.fileToGenerate.flatMap((name) => registry.getFile(name) ?? []);
const response = create(CodeGeneratorResponseSchema, {
  supportedFeatures: BigInt(CodeGeneratorResponse_Feature.PROTO3_OPTIONAL),
  file: files
    .filter(({ services }) => services.length > 0)
    .map((file) => ({ name: `${file.name}.decode.ts`, content: decodersOf(file) })),
});
process.stdout.write(toBinary(CodeGeneratorResponseSchema, response));
