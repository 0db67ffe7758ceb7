import { isRecord } from "../internal/record.js";
import type { ConnectOptions, DerivedDefaults, WatchSettings } from "../options.js";
import { checkOptions, type FieldsOf } from "./call-options.js";
import { invalid } from "./check.js";

const defaultFields: FieldsOf<NonNullable<ConnectOptions["defaults"]>> = {
  timeoutMs: true,
  retry: true,
  metadata: true,
};
const derivedFields: FieldsOf<DerivedDefaults> = { signal: true, ...defaultFields };

const watchFields: FieldsOf<WatchSettings> = { source: true, pollMs: true, relistMs: true };

const connectFields: FieldsOf<ConnectOptions> = {
  endpoint: true,
  imageEndpoint: true,
  tls: true,
  streamTls: true,
  streamUrl: true,
  allowInsecureTcp: true,
  signal: true,
  connectTimeoutMs: true,
  defaults: true,
  watch: true,
  middleware: true,
  attemptMiddleware: true,
  channelOptions: true,
  logger: true,
};

/** Checks the names of the options of `connect` and `lazy`, and of the options in them. @throws InvalidInputError */
export function checkConnectOptions(options: ConnectOptions | undefined): void {
  checkOptions(options, connectFields);
  if (!options) return;
  checkOptions(options.defaults, defaultFields, "defaults");
  checkOptions(options.watch, watchFields, "watch");
  for (const name of ["middleware", "attemptMiddleware"] as const) {
    const list: unknown = options[name];
    if (list !== undefined && !(Array.isArray(list) && list.every((one) => typeof one === "function"))) {
      invalid(name, "must be an array of nice-grpc middlewares", list);
    }
  }
  // The keys are not checked, because grpc-js defines them.
  const { channelOptions } = options;
  if (channelOptions !== undefined && !isRecord(channelOptions)) {
    invalid("channelOptions", "must be an object of grpc-js options", channelOptions);
  }
}

/** Checks the names of the options of `cri.with`. @throws InvalidInputError */
export function checkDerivedDefaults(defaults: DerivedDefaults | undefined): void {
  checkOptions(defaults, derivedFields, "defaults");
}
