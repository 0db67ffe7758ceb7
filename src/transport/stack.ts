import { type ClientFactory, createClientFactory } from "nice-grpc";
import type { ClientMiddleware } from "nice-grpc-common";
import { type CallOptions, type CriLogger, defaultTimeoutMs } from "../options.js";
import { deadlineMiddleware } from "./deadline.js";
import { loggingMiddleware } from "./logging.js";
import { defaultMetadataMiddleware } from "./metadata.js";
import { retryMiddleware } from "./retry.js";
import { wireMiddleware } from "./wire.js";
import type { InternalExtension } from "./wire-options.js";

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
 * The order in which a call passes the middlewares, stated here and nowhere else, from the outside in:
 *
 * error mapping (`calls/invoke.ts`, facade only) → `middleware` → deadline → default metadata → retry → `attemptMiddleware` →
 * logging → large replies and errors of the wire → wire
 *
 * nice-grpc calls the one attached last first, so the code attaches them from the wire outwards.
 */
export function buildStack(options: StackOptions): ClientFactory<InternalExtension> {
  let factory: ClientFactory<InternalExtension> = createClientFactory().use(wireMiddleware);
  if (options.logger) factory = factory.use(loggingMiddleware(options.logger, options.endpoint));
  for (const middleware of (options.attemptMiddleware ?? []).toReversed()) factory = factory.use(middleware);
  factory = factory.use(retryMiddleware(options.defaults?.retry, options.beforeAttempt));
  const metadata = options.defaults?.metadata;
  if (metadata) factory = factory.use(defaultMetadataMiddleware(metadata));
  factory = factory.use(deadlineMiddleware(options.defaults?.timeoutMs ?? defaultTimeoutMs, options.closing));
  for (const middleware of (options.middleware ?? []).toReversed()) factory = factory.use(middleware);
  return factory;
}
