import { type ClientFactory, createClientFactory } from "nice-grpc";
import type { ClientMiddleware } from "nice-grpc-common";
import { type CallOptions, type CriLogger, defaultTimeoutMs } from "../options.js";
import { deadlineLayer } from "./deadline.js";
import { loggingMiddleware } from "./logging.js";
import { defaultMetadataLayer } from "./metadata.js";
import { retryLayer } from "./retry.js";
import { wire } from "./wire.js";
import type { InternalExtension, Layer } from "./wire-options.js";

type Factory = ClientFactory<InternalExtension>;

/** What the stack of one client is made of. */
export interface StackOptions {
  endpoint: string;
  defaults: Omit<CallOptions, "signal" | "deadline"> | undefined;
  middleware: readonly ClientMiddleware[] | undefined;
  attemptMiddleware: readonly ClientMiddleware[] | undefined;
  logger: CriLogger | undefined;
  closing: readonly AbortSignal[];
  beforeAttempt: () => void;
}

/**
 * The order in which a call passes the layers, stated here and nowhere else, from the outside in:
 *
 * error mapping (`rpcs/invoke.ts`, facade only) → `middleware` → deadline → default metadata → retry → `attemptMiddleware` →
 * logging → large replies and errors of the wire → wire
 *
 * The code builds it from the wire outwards.
 */
export function buildStack({ endpoint, defaults, closing, beforeAttempt, ...options }: StackOptions): Factory {
  const between = [...(options.attemptMiddleware ?? [])];
  if (options.logger) between.push(loggingMiddleware(options.logger, endpoint));
  let factory: Factory = createClientFactory();
  let layers: Layer = wire;
  const own = between.length === 0;
  if (!own) {
    factory = attach(factory, [...between, wire]);
    layers = (call, given) => call.next(call.request, given);
  }
  layers = retryLayer(defaults?.retry, beforeAttempt, layers);
  if (defaults?.metadata) layers = defaultMetadataLayer(defaults.metadata, layers);
  layers = deadlineLayer(defaults?.timeoutMs ?? defaultTimeoutMs, { closing, own }, layers);
  return attach(factory, [...(options.middleware ?? []), layers]);
}

/** nice-grpc calls the one that was attached last first. */
function attach(factory: Factory, middleware: readonly ClientMiddleware[]): Factory {
  return middleware.reduceRight((attached: Factory, next) => attached.use(next), factory);
}
