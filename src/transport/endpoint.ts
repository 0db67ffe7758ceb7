import { isIPv4, isIPv6 } from "node:net";
import { InvalidInputError } from "../errors.js";
import { REDACTED } from "../internal/redact.js";
import type { TlsOptions } from "../options.js";
import { pathTooLong } from "./socket-path.js";
import { checkTlsFields, checkTlsOptions, hasTlsOptions } from "./tls.js";

/** The fields of every kind of endpoint. */
interface EndpointBase {
  /** The canonical spelling, as in errors and logs. Parsing it gives an equal endpoint. */
  readonly display: string;
  /** The target of the grpc-js channel. */
  readonly target: string;
}

/** A socket in the file system. */
export interface UnixEndpoint extends EndpointBase {
  readonly kind: "unix";
  /** The absolute path of the socket. */
  readonly path: string;
}

/**
 * A socket in Linux' abstract namespace, which has a name but no file and no permissions. Every process on the node can connect
 * to it.
 */
export interface AbstractEndpoint extends EndpointBase {
  readonly kind: "abstract";
  /** The name, without the NUL byte that the kernel puts before it. */
  readonly name: string;
}

/** A named pipe of Windows. @experimental */
export interface NpipeEndpoint extends EndpointBase {
  readonly kind: "npipe";
  /** The name as Windows spells it, such as `\\.\pipe\containerd-containerd`. */
  readonly path: string;
}

/** A TCP port, with or without TLS. */
export interface TcpEndpoint extends EndpointBase {
  readonly kind: "tcp";
  readonly tls: boolean;
  /** The name or address of the host. An IPv6 address has no brackets here. */
  readonly host: string;
  readonly port: number;
}

/** The address at which a runtime listens. {@link sameEndpoint} compares two endpoints. */
export type Endpoint = UnixEndpoint | AbstractEndpoint | NpipeEndpoint | TcpEndpoint;

/** Options of {@link parseEndpoint}. */
export interface ParseEndpointOptions {
  /** The name of the endpoint in errors. @defaultValue "endpoint" */
  field?: string | undefined;
  /** Allows `http:` and `tcp:`. @defaultValue false */
  allowInsecureTcp?: boolean | undefined;
  /** The TLS credentials for the endpoint. They are checked if the endpoint uses TLS, and refused otherwise. */
  tls?: TlsOptions | undefined;
  /** @defaultValue `process.platform` */
  platform?: NodeJS.Platform | undefined;
}

const accepted =
  "an absolute socket path, unix:///path, https://host:port, or npipe:////./pipe/name on Windows (http:// and tcp:// need allowInsecureTcp)";

/**
 * Parses an endpoint.
 *
 * | endpoint | meaning |
 * |---|---|
 * | `/run/containerd/containerd.sock` | a socket; the path is taken literally |
 * | `unix:/run/x.sock`, `unix:///run/x.sock` | a socket; percent escapes such as `%20` are decoded, as in the Go client |
 * | `unix-abstract:x`, `unix:@x`, `@x` | an abstract socket of Linux; the name is taken literally. Needs Node.js 22 |
 * | `npipe:////./pipe/x`, `npipe:\\.\pipe\x`, `\\.\pipe\x` | a named pipe (experimental, Windows) |
 * | `https://host:port` | TCP with TLS |
 * | `http://host:port`, `tcp://host:port` | plain TCP, only with `allowInsecureTcp` |
 *
 * @throws {@link InvalidInputError} for any other string. The Go client guesses in some of these cases: it reads `run/x.sock` as
 *   the socket `/x.sock` on a host named `run`.
 */
export function parseEndpoint(text: string, options: ParseEndpointOptions = {}): Endpoint {
  const endpoint = new EndpointParser(text, options).parse();
  checkTlsFits(options.tls, endpoint);
  return endpoint;
}

/**
 * Refuses TLS credentials that none of the endpoints uses, and credentials that cannot be read. If the runtime and the image
 * service have endpoints of different kinds, parse both without `tls` and pass both to this function.
 */
export function checkTlsFits(tls: TlsOptions | undefined, ...endpoints: readonly Endpoint[]): void {
  checkTlsFields(tls, "tls");
  if (!hasTlsOptions(tls)) return;
  if (!endpoints.some((endpoint) => endpoint.kind === "tcp" && endpoint.tls)) {
    const given = endpoints.map((endpoint) => endpoint.display).join(" and ");
    throw new InvalidInputError({
      field: "tls",
      message: `does not apply to ${given}: only https:// endpoints use TLS`,
    });
  }
  checkTlsOptions(tls);
}

/** Returns whether two endpoints are the same. */
export function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a.display === b.display;
}

/** Creates the endpoint of a unix socket from its path. */
export function unixEndpoint(path: string): UnixEndpoint {
  const canonical = path.replace(/\/+(?:\.\/+)*/g, "/");
  // Only this form reaches grpc-js' resolver unchanged: with `unix:/p` or a bare path, nice-grpc's createChannel or grpc-js'
  // default scheme would append a port or resolve the path by DNS.
  return { kind: "unix", path: canonical, display: `unix://${escapePath(canonical)}`, target: `unix://${canonical}` };
}

/** Creates the endpoint of a named pipe from its name, in any spelling without a scheme. */
export function npipeEndpoint(name: string): NpipeEndpoint {
  const path = name.replaceAll("/", "\\");
  // grpc-js has no resolver for pipes, but its resolver for sockets passes the path to net.connect, which supports pipes.
  return { kind: "npipe", path, display: `npipe://${path.replaceAll("\\", "/")}`, target: `unix:${path}` };
}

// The class includes line separators, because grpc-js' parser of targets stops at them.
// biome-ignore lint/suspicious/noControlCharactersInRegex: the expression finds control characters
const controlCharacter = /[\u0000-\u001f\u007f\u2028\u2029]/;

class EndpointParser {
  readonly #text: string;
  readonly #field: string;
  readonly #allowInsecureTcp: boolean;
  readonly #platform: NodeJS.Platform;

  constructor(text: string, options: ParseEndpointOptions) {
    this.#text = text;
    this.#field = options.field ?? "endpoint";
    this.#allowInsecureTcp = options.allowInsecureTcp ?? false;
    this.#platform = options.platform ?? process.platform;
  }

  parse(): Endpoint {
    const text = this.#text;
    if (typeof text !== "string") throw this.#refuse(`must be a string: ${accepted}`);
    if (text.trim() === "") throw this.#refuse(`is empty; expected ${accepted}`);
    if (text !== text.trim()) throw this.#refuse("has white space at its beginning or end");
    if (controlCharacter.test(text)) throw this.#refuse("contains a control character");
    if (/^(?:\\\\[^\\/]+|\/\/\.)[\\/]pipe[\\/]/i.test(text)) return this.#npipe(text);
    if (/^\/\/[^/]*@/.test(text))
      throw this.#refuse("looks like a URL without a scheme; a socket path begins with a single slash");
    if (text.startsWith("/")) return this.#unix(text);
    if (text.startsWith("@")) return this.#abstract(text.slice(1));

    const [, scheme, rest] = /^([a-z][a-z0-9+.-]*):(.*)$/i.exec(text) ?? [];
    if (scheme === undefined || rest === undefined) {
      throw this.#refuse(`is neither an absolute path nor a URL; expected ${accepted}`);
    }
    switch (scheme.toLowerCase()) {
      case "unix":
        return rest.startsWith("@") ? this.#abstract(rest.slice(1)) : this.#unix(this.#unixUrlPath(rest));
      case "unix-abstract":
        return this.#abstract(rest);
      case "npipe":
        return this.#npipe(rest.replace(/^[\\/]{4}(?=[^\\/])/, "//"));
      case "https":
        return this.#tcp(rest, true);
      case "http":
      case "tcp":
        if (!this.#allowInsecureTcp) {
          throw this.#refuse(
            "is plain TCP, where everyone who can reach the port is root on the node; use a unix socket or https://, or set allowInsecureTcp",
          );
        }
        return this.#tcp(rest, false);
      default:
        throw this.#refuse(`has a scheme that no runtime uses; expected ${accepted}`);
    }
  }

  /** Returns the path in a URL, given the part after `unix:`. */
  #unixUrlPath(rest: string): string {
    if (rest.startsWith("//") && !rest.startsWith("///")) {
      const suggestion = rest.length > 2 && !rest.includes("@") ? `; did you mean unix:///${rest.slice(2)}?` : "";
      throw this.#refuse(`has a host, but a socket has none${suggestion}`);
    }
    if (!rest.startsWith("/"))
      throw this.#refuse("needs an absolute path, as in unix:///run/containerd/containerd.sock");
    if (/[?#]/.test(rest))
      throw this.#refuse("has a query or fragment; write ? as %3F and # as %23 if they belong to the path");
    const path = this.#decode(rest.replace(/^\/\/(?=\/)/, ""));
    if (controlCharacter.test(path)) throw this.#refuse("contains an escaped control character");
    return path;
  }

  #decode(path: string): string {
    try {
      return decodeURIComponent(path);
    } catch {
      throw this.#refuse("has a percent sign without a valid escape; write % as %25 if it belongs to the path");
    }
  }

  #unix(path: string): Endpoint {
    if (this.#platform === "win32") {
      throw this.#refuse("is a unix socket, which Node.js cannot open on Windows; use npipe:////./pipe/name");
    }
    if (path.endsWith("/")) throw this.#refuse("ends in a slash: a socket is not a directory");
    const endpoint = unixEndpoint(path);
    const tooLong = pathTooLong(endpoint.path, this.#platform);
    if (tooLong !== undefined) throw this.#refuse(tooLong);
    return endpoint;
  }

  #abstract(name: string): Endpoint {
    if (this.#platform !== "linux") throw this.#refuse("is an abstract socket, which only Linux has");
    if (name === "") throw this.#refuse("is an abstract socket without a name");
    const length = Buffer.byteLength(name);
    if (length > 107) throw this.#refuse(`has a name of ${length} bytes; that of an abstract socket has at most 107`);
    if (Number.parseInt(process.versions.node, 10) < 22) {
      throw this.#refuse(
        "is an abstract socket: use Node.js 22 or newer. Node.js 20 pads the name with NUL characters, so a runtime does not have that name",
      );
    }
    return { kind: "abstract", name, display: `unix-abstract:${name}`, target: `unix:\0${name}` };
  }

  #npipe(name: string): Endpoint {
    const [, host, pipe] = /^[\\/]{2}([^\\/]+)[\\/]pipe[\\/](.+)$/i.exec(name) ?? [];
    if (host === undefined || pipe === undefined) {
      throw this.#refuse("is not the name of a pipe, which looks like npipe:////./pipe/containerd-containerd");
    }
    if (this.#platform !== "win32") throw this.#refuse("is a named pipe, which only Windows has");
    return npipeEndpoint(`//${host}/pipe/${pipe}`);
  }

  #tcp(rest: string, tls: boolean): Endpoint {
    const [, authority, tail] = /^\/\/([^/?#]*)(.*)$/.exec(rest) ?? [];
    if (authority === undefined || tail === undefined) throw this.#refuse("needs the form https://host:port");
    if (rest.includes("@")) throw this.#refuse("contains user information, which CRI does not use");
    if (tail !== "" && tail !== "/")
      throw this.#refuse("has a path, query or fragment; only host and port belong here");
    if (/^[^[].*:.*:/.test(authority)) throw this.#refuse("has more than one colon; an IPv6 address goes in brackets");
    const [, bracketed, plain, portText] = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/.exec(authority) ?? [];
    const host = bracketed === undefined ? this.#host(plain) : this.#ipv6(bracketed);
    if (portText === undefined || portText === "") throw this.#refuse("has no port; CRI has no default port");
    const port = /^\d{1,5}$/.test(portText) ? Number(portText) : 0;
    if (port < 1 || port > 65_535) throw this.#refuse("has a port that is not between 1 and 65535");
    const hostPort = isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
    const resolver = isIPv6(host) ? "ipv6" : isIPv4(host) ? "ipv4" : "dns";
    const display = `${tls ? "https" : "http"}://${hostPort}`;
    return { kind: "tcp", tls, host, port, display, target: `${resolver}:${hostPort}` };
  }

  #host(text: string | undefined): string {
    if (text === "") throw this.#refuse("has no host");
    if (text === undefined) throw this.#refuse("needs the form https://host:port");
    if (isIPv4(text)) return text;
    const labels = text.replace(/\.$/, "").split(".");
    const isName =
      text.length <= 253 && labels.every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(label));
    if (!isName || /^[\d.]+$/.test(text)) throw this.#refuse("has a host that is neither a name nor an address");
    return text.toLowerCase();
  }

  #ipv6(text: string): string {
    if (!isIPv6(text) || text.includes("%"))
      throw this.#refuse("has brackets around something other than an IPv6 address");
    return new URL(`http://[${text}]`).hostname.slice(1, -1); // the shortest form, in lower case
  }

  #refuse(message: string): InvalidInputError {
    return new InvalidInputError({ field: this.#field, message, value: withoutSecrets(this.#text) });
  }
}

/**
 * Redacts a refused endpoint for the error. The part before an @ may contain a password, and a query or a fragment may contain a
 * token.
 */
function withoutSecrets(text: string): string {
  if (typeof text !== "string" || /^(?:\/(?!\/)|[\\@])/.test(text)) return text;
  const isSocket = /^unix:(?:\/(?!\/)|\/\/\/|@)|^unix-abstract:/i.test(text);
  if (!isSocket && text.includes("@")) return REDACTED;
  return text.replace(/[?#].*$/s, (rest) => `${rest[0]}${REDACTED}`);
}

function escapePath(path: string): string {
  return path.replace(/[%?#\s]/g, (character) => encodeURIComponent(character));
}
