import { type Channel, Metadata as GrpcMetadata, type StatusObject, status as statusCodes } from "@grpc/grpc-js";
import { type CallOptions, ClientError, Metadata, type MethodDescriptor, Status } from "nice-grpc-common";
import { onAbort } from "../internal/abort.js";
import { errorMessage } from "../internal/error-message.js";
import { encodeRequest, type RequestType } from "./request-writer.js";

/** A generated service definition, reduced to what sending a request takes. */
export interface Service {
  readonly fullName: string;
  readonly methods: Readonly<Record<string, Method>>;
}

interface Method {
  readonly name: string;
  readonly requestType: RequestType & { fromPartial(value: unknown): unknown };
  readonly responseType: { decode(bytes: Uint8Array): unknown };
}

/** The details of an error for a reply that grpc-js cannot decompress. grpc-js reports it without a status, and drops the reason. */
export const cannotDecompress = "the reply cannot be decompressed as its headers say";

/** Sends one request of a unary method, and returns the reply. Rejects with a `ClientError`, or with the signal's reason. */
export type SendUnary = <Reply>(method: MethodDescriptor, request: unknown, options: CallOptions) => Promise<Reply>;

/**
 * Sends unary calls directly over a channel. The stubs of nice-grpc call grpc-js' `Client`, which prepares interceptors, events and
 * a stack trace for each call; that is a quarter of the CPU time of a small call (`npm run bench -- calls`).
 */
export function unarySender(channel: Channel, service: Service): SendUnary {
  const methods = new Map(
    Object.values(service.methods).map((method) => [`/${service.fullName}/${method.name}`, method]),
  );
  return async <Reply>({ path }: MethodDescriptor, request: unknown, options: CallOptions) => {
    const { metadata, signal, onHeader, onTrailer } = options;
    signal?.throwIfAborted();
    const { requestType, responseType } = methods.get(path) as Method;
    const message = serialize(path, requestType, request);
    return new Promise<Reply>((resolve, reject) => {
      // The layer above enforces the deadline.
      const call = channel.createCall(path, Number.POSITIVE_INFINITY, undefined, null, undefined);
      const removeListener =
        signal &&
        onAbort(signal, () => {
          call.cancelWithStatus(statusCodes.CANCELLED, "Cancelled on client");
          reject(signal.reason);
        });
      let reply: unknown;
      let failure: ClientError | undefined;
      /** Ends the call because of what the runtime sent. The runtime's status may have arrived before. */
      const refuse = (details: string) => {
        failure = new ClientError(path, Status.INTERNAL, details);
        call.cancelWithStatus(statusCodes.INTERNAL, details);
      };
      call.start(toGrpc(metadata), {
        onReceiveMetadata: (headers) => onHeader?.(fromGrpc(headers)),
        onReceiveMessage: (bytes: Buffer) => {
          if (reply !== undefined) return refuse("the runtime replied with more than one message");
          try {
            reply = responseType.decode(bytes);
          } catch (error) {
            refuse(`Response message parsing error: ${errorMessage(error)}`);
          }
        },
        onReceiveStatus: (status) => {
          removeListener?.();
          onTrailer?.(fromGrpc(status.metadata));
          const error = failure ?? errorOf(path, status, reply);
          if (error) reject(error);
          else resolve(reply as Reply);
        },
      });
      call.startRead();
      call.sendMessageWithContext({}, message);
      call.halfClose();
    });
  };
}

function serialize(path: string, type: Method["requestType"], request: unknown): Buffer {
  try {
    return encodeRequest(type, type.fromPartial(request));
  } catch (error) {
    throw new ClientError(path, Status.INTERNAL, `Request message serialization failure: ${errorMessage(error)}`);
  }
}

function errorOf(path: string, { code, details }: StatusObject, reply: unknown): ClientError | undefined {
  if (code === undefined) return new ClientError(path, Status.INTERNAL, cannotDecompress);
  if (code !== statusCodes.OK) return new ClientError(path, code as number, details);
  return reply === undefined
    ? new ClientError(path, Status.INTERNAL, "the runtime replied OK without a message")
    : undefined;
}

function toGrpc(metadata: Metadata | undefined): GrpcMetadata {
  const converted = new GrpcMetadata();
  for (const [key, values] of metadata ?? []) {
    for (const value of values) converted.add(key, typeof value === "string" ? value : Buffer.from(value));
  }
  return converted;
}

function fromGrpc(metadata: GrpcMetadata): Metadata {
  const converted = Metadata();
  for (const key of Object.keys(metadata.getMap())) converted.set(key, metadata.get(key));
  return converted;
}
