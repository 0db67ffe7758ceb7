/**
 * Converts a protobuf schema to a flat list of elements, which is simple to compare and to check.
 *
 * @module
 */
import {
  createFileRegistry,
  type DescEnum,
  type DescField,
  type DescFile,
  type DescMessage,
  fromBinary,
} from "@bufbuild/protobuf";
import { type FileDescriptorSet, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { bufOrThrow } from "./buf.js";

/** The protobuf package of CRI v1. */
export const criPackage = "runtime.v1";

/** One service, RPC, message, field, enum or enum value. */
export interface SchemaElement {
  readonly kind: "service" | "rpc" | "message" | "field" | "enum" | "value";
  /** Name without the package: `RuntimeService.Version`, `Mount.readonly`, `SecurityProfile.ProfileType.Localhost`. */
  readonly name: string;
  /** The parent element: a field's message, a value's enum, an RPC's service. Absent at the top level. */
  readonly owner?: string;
  /** Number of a field or enum value, which identifies it on the wire. */
  readonly number?: number;
  /** The rest of the wire format: type and cardinality of a field, request and reply of an RPC. */
  readonly type?: string;
  /** Key in JSON and in the generated TypeScript type. Fields only. */
  readonly jsonName?: string;
  /** Options without effect on the wire format: `deprecated`, `debug_redact`. */
  readonly options: readonly string[];
  /** The comment before the element, without comment markers. */
  readonly comment?: string;
}

/** Compiles a schema with buf. `input` is a folder, a file or a buf image. */
export function compileSchema(input: string): FileDescriptorSet {
  return fromBinary(
    FileDescriptorSetSchema,
    bufOrThrow("build", input, "--as-file-descriptor-set", "-o", "-#format=binpb"),
  );
}

/** Returns all elements of the CRI package in the order of the file. */
export function elementsOf(set: FileDescriptorSet): SchemaElement[] {
  const files = [...createFileRegistry(set).files].filter((file) => file.proto.package === criPackage);
  return files.flatMap(elementsOfFile);
}

/** Returns the Kubernetes release in the comment of an element: `1.33` for "Since Kubernetes 1.33." Undefined if there is none. */
export function statedRelease(element: SchemaElement): string | undefined {
  return element.comment?.replace(/\s+/g, " ").match(/Since Kubernetes (1\.\d+)/)?.[1];
}

function elementsOfFile(file: DescFile): SchemaElement[] {
  const comments = new Map(
    file.proto.sourceCodeInfo?.location.map((place) => [place.path.join("."), place.leadingComments]),
  );
  const comment = (path: string) => {
    const text = comments.get(path)?.replace(/^ /gm, "").trim();
    return text ? { comment: text } : {};
  };

  const ofEnum = (desc: DescEnum, path: string): SchemaElement[] => [
    { kind: "enum", name: short(desc.typeName), options: options(desc), ...comment(path) },
    ...desc.values.map(
      (value, index): SchemaElement => ({
        kind: "value",
        name: `${short(desc.typeName)}.${value.name}`,
        owner: short(desc.typeName),
        number: value.number,
        options: options(value),
        ...comment(`${path}.2.${index}`),
      }),
    ),
  ];

  const ofMessage = (desc: DescMessage, path: string): SchemaElement[] => [
    { kind: "message", name: short(desc.typeName), options: options(desc), ...comment(path) },
    ...desc.fields.map(
      (field, index): SchemaElement => ({
        kind: "field",
        name: `${short(desc.typeName)}.${field.name}`,
        owner: short(desc.typeName),
        number: field.number,
        type: typeOf(field),
        jsonName: field.jsonName,
        options: [...options(field), ...(field.proto.options?.debugRedact ? ["debug_redact"] : [])],
        ...comment(`${path}.2.${index}`),
      }),
    ),
    ...desc.nestedEnums.flatMap((nested, index) => ofEnum(nested, `${path}.4.${index}`)),
    ...desc.nestedMessages.flatMap((nested) =>
      ofMessage(nested, `${path}.3.${desc.proto.nestedType.indexOf(nested.proto)}`),
    ),
  ];

  return [
    ...file.services.flatMap((desc, index): SchemaElement[] => [
      { kind: "service", name: short(desc.typeName), options: options(desc), ...comment(`6.${index}`) },
      ...desc.methods.map(
        (rpc, position): SchemaElement => ({
          kind: "rpc",
          name: `${short(desc.typeName)}.${rpc.name}`,
          owner: short(desc.typeName),
          type: `(${streamed(rpc.proto.clientStreaming)}${short(rpc.input.typeName)}) → ${streamed(rpc.proto.serverStreaming)}${short(rpc.output.typeName)}`,
          options: options(rpc),
          ...comment(`6.${index}.2.${position}`),
        }),
      ),
    ]),
    ...file.messages.flatMap((desc, index) => ofMessage(desc, `4.${index}`)),
    ...file.enums.flatMap((desc, index) => ofEnum(desc, `5.${index}`)),
  ];
}

const scalarNames = [
  "",
  "double",
  "float",
  "int64",
  "uint64",
  "int32",
  "fixed64",
  "fixed32",
  "bool",
  "string",
  "",
  "",
  "bytes",
  "uint32",
  "",
  "sfixed32",
  "sfixed64",
  "sint32",
  "sint64",
];

/** Formats the type of a field as in a .proto file. */
function typeOf(field: DescField): string {
  const single = (of: {
    scalar?: number | undefined;
    message?: DescMessage | undefined;
    enum?: DescEnum | undefined;
  }) =>
    of.message ? short(of.message.typeName) : of.enum ? short(of.enum.typeName) : (scalarNames[of.scalar ?? 0] ?? "");
  if (field.fieldKind === "map") return `map<${scalarNames[field.mapKey]}, ${single(field)}>`;
  if (field.fieldKind === "list") return `repeated ${single(field)}`;
  const label = field.oneof ? `oneof ${field.oneof.name} ` : field.proto.proto3Optional ? "optional " : "";
  return label + single(field);
}

function options(desc: { readonly deprecated: boolean }): string[] {
  return desc.deprecated ? ["deprecated"] : [];
}

function streamed(is: boolean): string {
  return is ? "stream " : "";
}

function short(typeName: string): string {
  return typeName.startsWith(`${criPackage}.`) ? typeName.slice(criPackage.length + 1) : typeName;
}
