import { InvalidInputError } from "../errors.js";
import { ImageServiceDefinition, RuntimeServiceDefinition } from "../proto.js";

type Methods = RuntimeServiceDefinition["methods"] & ImageServiceDefinition["methods"];
type Method<N extends RpcName> = Extract<Methods[keyof Methods], { name: N }>;

/** The names of the 43 RPCs of CRI v1 in the schema: `"RunPodSandbox"`, `"PullImage"`, … */
export type RpcName = Methods[keyof Methods]["name"];

/** The RPCs that reply with a stream of messages. */
export type StreamingRpcName = Extract<Methods[keyof Methods], { responseStream: true }>["name"];

/** The request of an RPC. */
export type RpcRequest<N extends RpcName = RpcName> = ReturnType<Method<N>["requestType"]["decode"]>;

/** The reply of an RPC (of a stream, one message), with every field optional. */
export type RpcReply<N extends RpcName = RpcName> = Parameters<Method<N>["responseType"]["fromPartial"]>[0];

/** An RPC, with its codec. */
export interface Rpc {
  readonly name: RpcName;
  readonly service: "RuntimeService" | "ImageService";
  /** `/runtime.v1.RuntimeService/Version` */
  readonly path: string;
  readonly streaming: boolean;
  decode(bytes: Uint8Array): RpcRequest;
  encode(reply: unknown): Uint8Array;
}

interface Codec {
  decode(bytes: Uint8Array): unknown;
  fromPartial(reply: unknown): unknown;
  encode(message: unknown): { finish(): Uint8Array };
}

function describe(definition: RuntimeServiceDefinition | ImageServiceDefinition): Rpc[] {
  return Object.values(definition.methods).map((method) => {
    const request = method.requestType as unknown as Codec;
    const response = method.responseType as unknown as Codec;
    return {
      name: method.name,
      service: definition.name,
      path: `/${definition.fullName}/${method.name}`,
      streaming: method.responseStream,
      decode: (bytes) => request.decode(bytes) as RpcRequest,
      encode: (reply) => response.encode(response.fromPartial(reply)).finish(),
    };
  });
}

const all: readonly Rpc[] = [...describe(RuntimeServiceDefinition), ...describe(ImageServiceDefinition)];

/** All RPCs by name. */
export const rpcs: ReadonlyMap<string, Rpc> = new Map(all.map((rpc) => [rpc.name, rpc]));

/** All RPCs by path. */
export const rpcsByPath: ReadonlyMap<string, Rpc> = new Map(all.map((rpc) => [rpc.path, rpc]));

/** Checks that a name is that of an RPC. @throws InvalidInputError that suggests the most similar name */
export function checkRpcName(name: string, field = "rpc"): RpcName {
  const rpc = rpcs.get(name);
  if (rpc) return rpc.name;
  const given = String(name).toLowerCase();
  const nearest = [...rpcs.keys()]
    .map((known) => ({ known, distance: distanceBetween(known.toLowerCase(), given) }))
    .sort((a, b) => a.distance - b.distance)[0] as { known: string };
  throw new InvalidInputError({ field, message: `no such RPC; did you mean "${nearest.known}"?`, value: name });
}

/** Returns the edit distance of two names, or 0 if the given name is the beginning of the known one. */
function distanceBetween(known: string, given: string): number {
  return given.length > 3 && known.startsWith(given) ? 0 : editDistance(known, given);
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replace, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
