/**
 * A registry that serves one small image to those who log in: with a user name and a password, or with an identity token that its
 * token server exchanges for an access token.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { HostileRegistry } from "./hostile-registry.js";

/** The logins that the registry accepts. A test can change them, such as to revoke a token. */
export interface Logins {
  password?: { username: string; password: string };
  identityToken?: string;
}

export class LoginRegistry implements AsyncDisposable {
  readonly #registry: HostileRegistry;
  readonly logins: Logins;

  private constructor(registry: HostileRegistry, logins: Logins) {
    this.#registry = registry;
    this.logins = logins;
  }

  static async start(registriesFolder: string, logins: Logins): Promise<LoginRegistry> {
    const accessToken = randomUUID();
    const registry = await HostileRegistry.start(registriesFolder, (request, response) => {
      if (request.url?.startsWith("/token")) {
        void sendToken(request, response, logins, accessToken);
        return true;
      }
      const { authorization } = request.headers;
      const isAllowed =
        logins.password === undefined
          ? authorization === `Bearer ${accessToken}` && logins.identityToken !== undefined
          : authorization === basic(logins.password);
      if (isAllowed) return false;
      const bearer = `Bearer realm="http://${request.headers.host}/token",service="login"`;
      response.writeHead(401, { "www-authenticate": logins.password ? 'Basic realm="login"' : bearer }).end();
      return true;
    });
    return new LoginRegistry(registry, logins);
  }

  /** The reference of the image. */
  get reference(): string {
    return this.#registry.reference;
  }

  /** Host and port. */
  get address(): string {
    return this.reference.split("/")[0]!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#registry[Symbol.asyncDispose]();
  }
}

function basic({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

/** Exchanges an identity token for an access token, as in OAuth 2. */
async function sendToken(
  request: IncomingMessage,
  response: ServerResponse,
  { identityToken }: Logins,
  accessToken: string,
): Promise<void> {
  const form = new URLSearchParams(await text(request));
  const isAllowed = identityToken !== undefined && form.get("refresh_token") === identityToken;
  if (isAllowed) response.end(JSON.stringify({ access_token: accessToken, token: accessToken, expires_in: 60 }));
  else response.writeHead(401).end();
}
