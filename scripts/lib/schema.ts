/**
 * A protobuf schema as a flat list of elements, the form in which comparing it and checking its comments is simple.
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

/** The package that all of CRI v1 lives in. */
export const criPackage = "runtime.v1";

/** One service, RPC, message, field, enum or enum value. */
export interface SchemaElement {
  readonly kind: "service" | "rpc" | "message" | "field" | "enum" | "value";
  /** Name without the package: `RuntimeService.Version`, `Mount.readonly`, `SecurityProfile.ProfileType.Localhost`. */
  readonly name: string;
  /** The element this one belongs to: a field's message, a value's enum, an RPC's service. Absent at the top level. */
  readonly owner?: string;
  /** Number of a field or enum value: its identity on the wire. */
  readonly number?: number;
  /** What else the wire depends on: the type of a field with its cardinality, request and response of an RPC. */
  readonly type?: string;
  /** Key in JSON and in the generated TypeScript type; fields only. */
  readonly jsonName?: string;
  /** Options that users notice though the wire does not: `deprecated`, `debug_redact`. */
  readonly options: readonly string[];
  /** The comment in front of the element, without comment signs. */
  readonly comment?: string;
}

/** Compiles what `input` names (a folder, a file, an image) as buf sees it, with comments. */
export function compileSchema(input: string): FileDescriptorSet {
  return fromBinary(
    FileDescriptorSetSchema,
    bufOrThrow("build", input, "--as-file-descriptor-set", "-o", "-#format=binpb"),
  );
}

/** Every element of the CRI package, in the order of the file. */
export function elementsOf(set: FileDescriptorSet): SchemaElement[] {
  const files = [...createFileRegistry(set).files].filter((file) => file.proto.package === criPackage);
  return files.flatMap(elementsOfFile);
}

/** The Kubernetes release an element says it came with: `1.33` from "Since Kubernetes 1.33."; undefined when it says nothing. */
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

/** The type of a field as a .proto spells it. */
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
