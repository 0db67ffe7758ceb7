import { type ClientFactory, createClientFactory } from "nice-grpc";
import type { ClientMiddleware } from "nice-grpc-common";
import { type CallOptions, type CriLogger, defaultTimeoutMs } from "../options.js";
import { deadlineLayer } from "./deadline.js";
import { loggingMiddleware } from "./logging.js";
import { defaultMetadataLayer } from "./metadata.js";
import { retryLayer } from "./retry.js";
import { attemptTracing, callTracing } from "./tracing.js";
import type { SendUnary } from "./unary-call.js";
import { wireLayer } from "./wire.js";
import type { InternalExtension } from "./wire-options.js";

type Factory = ClientFactory<InternalExtension>;

/** Options of {@link buildStack}. */
export interface StackOptions {
  endpoint: string;
  send: SendUnary;
  defaults: Omit<CallOptions, "signal" | "deadline"> | undefined;
  middleware: readonly ClientMiddleware[] | undefined;
  attemptMiddleware: readonly ClientMiddleware[] | undefined;
  logger: CriLogger | undefined;
  closing: readonly AbortSignal[];
  beforeAttempt: () => void;
}

/**
 * Builds the layers of a call. Only this function defines their order, from the outermost to the innermost:
 *
 * error mapping (`rpcs/invoke.ts`, facade only) → `middleware` → tracing of the call → deadline → default metadata → retry →
 * tracing of the attempt → `attemptMiddleware` → logging → large replies and protocol errors (`wire.ts`) → grpc-js, without
 * nice-grpc's and grpc-js' own client for unary calls (`unary-call.ts`)
 *
 * The code adds the innermost layer first.
 */
export function buildStack({ endpoint, send, defaults, closing, beforeAttempt, ...options }: StackOptions): Factory {
  const perAttempt = [...(options.attemptMiddleware ?? [])];
  if (options.logger) perAttempt.push(loggingMiddleware(options.logger, endpoint));
  let factory: Factory = createClientFactory();
  const wire = wireLayer(send);
  let layers = wire;
  const onlyOwnLayers = perAttempt.length === 0;
  if (!onlyOwnLayers) {
    factory = attach(factory, [...perAttempt, wire]);
    layers = (call, given) => call.next(call.request, given);
  }
  layers = retryLayer(defaults?.retry, beforeAttempt, attemptTracing(endpoint, layers));
  if (defaults?.metadata) layers = defaultMetadataLayer(defaults.metadata, layers);
  layers = deadlineLayer(defaults?.timeoutMs ?? defaultTimeoutMs, { closing, onlyOwnLayers }, layers);
  layers = callTracing(endpoint, layers);
  return attach(factory, [...(options.middleware ?? []), layers]);
}

/** Attaches middlewares so that a call passes them in the given order: nice-grpc calls the last attached one first. */
function attach(factory: Factory, middleware: readonly ClientMiddleware[]): Factory {
  return middleware.reduceRight((attached: Factory, next) => attached.use(next), factory);
}
