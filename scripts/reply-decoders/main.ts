/**
 * A plugin of Buf and protoc, which buf.gen.yaml starts: writes decoders of all replies beside ts-proto's output, for the same types.
 *
 * What they take, refuse and make is what ts-proto's do; test/unit/transport/reply-decoders.test.ts holds them together. They are
 * faster because they know more: no message of CRI contains itself, so that nothing has to guard the depth; an entry of a map goes
 * into the map at once; 64-bit integers go into a Long as they are.
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
