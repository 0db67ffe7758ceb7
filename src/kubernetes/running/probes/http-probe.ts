import { request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIPv6 } from "node:net";
import type { HttpGetManifest } from "../../manifest/container.js";
import { failure, maxProbeOutputBytes, type ProbeOutcome } from "./probe.js";
import { probePort } from "./probe-port.js";

/** Redirects that a probe follows, as in the kubelet. */
const maxRedirects = 10;

/** The response to a GET request: its status and the beginning of its body. */
export interface HttpAnswer {
  statusCode: number;
  location: string | undefined;
  body: string;
}

/** Builds the URL of a GET action. @throws InvalidInputError if it names an unknown port */
export function httpUrl(action: HttpGetManifest, podIP: string, ports: Readonly<Record<string, number>>): URL {
  const host = action.host || podIP;
  const path = action.path ?? "/";
  const scheme = (action.scheme ?? "HTTP").toLowerCase();
  const authority = isIPv6(host) ? `[${host}]` : host;
  return new URL(path.startsWith("/") ? path : `/${path}`, `${scheme}://${authority}:${probePort(action.port, ports)}`);
}

/** The headers of a GET action. Headers of the manifest replace the defaults; an empty value removes one. */
export function httpHeaders(action: HttpGetManifest, userAgent: string): Record<string, string[]> {
  const headers: Record<string, string[]> = { "user-agent": [userAgent], accept: ["*/*"] };
  const own: Record<string, string[]> = {};
  for (const { name, value } of action.httpHeaders ?? []) {
    const key = name.toLowerCase();
    own[key] = [...(own[key] ?? []), value];
  }
  for (const [key, values] of Object.entries(own)) {
    if (values.length === 1 && values[0] === "" && key in headers) delete headers[key];
    else headers[key] = values;
  }
  return headers;
}

/** Sends a GET request on a connection of its own. Certificates are not verified, as in the kubelet. */
export function httpGet(url: URL, headers: Record<string, string[]>, signal: AbortSignal): Promise<HttpAnswer> {
  const secure = url.protocol === "https:";
  const options: RequestOptions & { rejectUnauthorized?: boolean } = {
    agent: false,
    signal,
    headers: { ...single(headers), connection: "close" },
    ...(secure && { rejectUnauthorized: false }),
  };
  return new Promise((resolve, reject) => {
    const request = (secure ? httpsRequest : httpRequest)(url, options, (response) => {
      bodyOf(response).then(
        (body) => resolve({ statusCode: response.statusCode ?? 0, location: response.headers.location, body }),
        reject,
      );
    });
    request.on("error", reject);
    request.end();
  });
}

/** Node.js refuses a list with one value for `host` and other headers that occur once. */
function single(headers: Record<string, string[]>): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).map(([key, values]) => [key, values.length === 1 ? (values[0] as string) : values]),
  );
}

/** Reads the beginning of a body, and closes the connection as soon as that is read. */
async function bodyOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= maxProbeOutputBytes) break;
  }
  return Buffer.concat(chunks).subarray(0, maxProbeOutputBytes).toString();
}

/** Probes with a GET request: success is a status from 200 to 399. A redirect to another host is a warning. */
export async function probeHttp(
  action: HttpGetManifest,
  target: { podIP: string; ports: Readonly<Record<string, number>>; userAgent: string },
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  const headers = httpHeaders(action, target.userAgent);
  const first = httpUrl(action, target.podIP, target.ports);
  let url = first;
  for (let redirects = 0; ; redirects++) {
    const answer = await httpGet(url, headers, signal);
    const next = redirectOf(answer, url);
    if (next === undefined) return verdict(answer);
    if (next.hostname !== first.hostname) {
      return { outcome: "warning", message: `Probe terminated redirects, Response body: ${answer.body}` };
    }
    if (redirects === maxRedirects) return failure(`Get "${next.href}": stopped after ${maxRedirects} redirects`);
    url = next;
  }
}

function redirectOf({ statusCode, location }: HttpAnswer, from: URL): URL | undefined {
  if (location === undefined || ![301, 302, 303, 307, 308].includes(statusCode)) return undefined;
  return URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
}

function verdict({ statusCode, body }: HttpAnswer): ProbeOutcome {
  if (statusCode >= 200 && statusCode < 400) return { outcome: "success", message: body };
  return failure(`HTTP probe failed with statuscode: ${statusCode}`);
}
