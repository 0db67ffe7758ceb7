import { once } from "node:events";
import http, { type IncomingMessage } from "node:http";
import https, { type RequestOptions } from "node:https";
import { text } from "node:stream/consumers";
import type { KubeConfig } from "@kubernetes/client-node";

export interface ApiRequest extends Pick<RequestOptions, "method" | "signal"> {
  path: string;
  query?: object;
  body?: object;
  /** The type of the body. @defaultValue application/json */
  contentType?: string;
  /** How long nothing may arrive until the response begins, in milliseconds. */
  timeoutMs: number;
}

/**
 * Sends requests to the API server of a kubeconfig, over connections that it keeps. `@kubernetes/client-node` finds the server and the
 * credentials. Its own requests have no time limit, and its watch reports neither that the response has begun nor that it has failed.
 */
export class Connection {
  #agent: http.Agent | undefined;

  /** @param onResponse is called with the HTTP status of each response */
  constructor(
    private readonly config: KubeConfig,
    private readonly onResponse: (status: number) => void,
  ) {}

  /** Resolves when the response begins. Fails with an {@link ApiError} if its status is one of failure. */
  async open({ path, query = {}, body, contentType = "application/json", timeoutMs, ...rest }: ApiRequest) {
    const url = new URL(`${this.config.getCurrentCluster()?.server}${path}`);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const options: RequestOptions = { ...rest, headers: body && { "Content-Type": contentType } };
    // Reads tokens and certificates anew, and creates an agent each time. The first agent keeps its connections.
    await this.config.applyToHTTPSOptions(options);
    this.#agent ??= Object.assign(options.agent as http.Agent, { keepAlive: true });
    const { request } = url.protocol === "http:" ? http : https;
    const sent = request(url, { ...options, agent: this.#agent, timeout: timeoutMs });
    let response: IncomingMessage | undefined;
    sent.on("timeout", () => (response ?? sent).destroy(new Error("the API server has sent nothing for too long")));
    // The response fails, too.
    sent.on("error", () => {});
    sent.end(body && JSON.stringify(body));
    [response] = (await once(sent, "response")) as [IncomingMessage];
    const { statusCode = 0 } = response;
    this.onResponse(statusCode);
    if (statusCode >= 400) throw new ApiError(statusCode, await text(response));
    return response;
  }
}

/** A failure that the API server has answered, with its message. */
export class ApiError extends Error {
  constructor(
    /** The HTTP status. */
    readonly code: number,
    body: string,
  ) {
    super(`${code} ${messageIn(body)}`);
  }
}

function messageIn(body: string): string {
  try {
    return JSON.parse(body).message;
  } catch {
    return body.slice(0, 200);
  }
}

/** Returns the HTTP status of an error of the API server. */
export function statusCode(error: unknown): number | undefined {
  return error instanceof ApiError ? error.code : undefined;
}
