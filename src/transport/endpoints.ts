import { InvalidInputError } from "../errors.js";
import type { ConnectOptions } from "../options.js";
import { checkTlsFits, type Endpoint, parseEndpoint } from "./endpoint.js";
import { checkTlsFields } from "./tls.js";

/** The endpoints of a client. */
export interface Endpoints {
  endpoint: Endpoint;
  imageEndpoint: Endpoint;
}

/** The endpoints that the options name. */
export type GivenEndpoints = { [Field in keyof Endpoints]: Endpoints[Field] | undefined };

/** Parses the endpoints that the options name. @throws InvalidInputError */
export function parseGiven(options: ConnectOptions): GivenEndpoints {
  const { allowInsecureTcp } = options;
  const parse = (field: keyof Endpoints) => {
    const given = options[field];
    return given === undefined ? undefined : parseEndpoint(given, { field, allowInsecureTcp });
  };
  return { endpoint: parse("endpoint"), imageEndpoint: parse("imageEndpoint") };
}

/**
 * Returns both endpoints: those of the options, else those of discovery. If no endpoint is known for the image service, it gets
 * the runtime's endpoint.
 *
 * @throws InvalidInputError if there is no endpoint, or the TLS options do not fit the endpoints
 */
export function bothEndpoints({ tls, streamTls }: ConnectOptions, given: GivenEndpoints, found?: Endpoints): Endpoints {
  const endpoint = given.endpoint ?? found?.endpoint;
  if (!endpoint) {
    throw new InvalidInputError({
      field: "endpoint",
      message: "is required; connect() or discoverEndpoint() can find it",
    });
  }
  const imageEndpoint = given.imageEndpoint ?? found?.imageEndpoint ?? endpoint;
  checkTlsFits(tls, endpoint, imageEndpoint);
  checkTlsFields(streamTls, "streamTls");
  return { endpoint, imageEndpoint };
}
