import { isRecord } from "../../internal/record.js";
import { type RegistryAuth, redacted } from "./registry-auth.js";
import { isDockerHub } from "./registry-host.js";

/** Returns the name of a registry for credential helpers. They know Docker Hub by its first URL. */
export function helperServer(registry: string): string {
  return isDockerHub(registry) ? "https://index.docker.io/v1/" : registry;
}

/** The user name with which a helper marks an identity token. */
const identityTokenUser = "<token>";

/** Returns whether a failed helper reports that it has no credentials. All helpers use this message of Docker's library. */
export function isNotFound(stdout: string): boolean {
  return /^credentials not found\b/i.test(stdout.trim());
}

/**
 * Reads the output of a successful `docker-credential-… get`: an object with `Username` and `Secret`.
 *
 * @returns `undefined` if both are empty, which means that the helper has no credentials; a problem as a string if the output is
 *   malformed. It never contains the output.
 */
export function readHelperOutput(stdout: string, serverAddress: string): RegistryAuth | string | undefined {
  let output: unknown;
  try {
    output = JSON.parse(stdout);
  } catch {
    return "printed something other than JSON";
  }
  if (!isRecord(output)) return "printed something other than a JSON object";
  const { Username: username = "", Secret: secret = "" } = output;
  if (typeof username !== "string" || typeof secret !== "string") {
    return "printed a Username or a Secret that is not a string";
  }
  if (username === "" && secret === "") return undefined;
  if (username === "" || secret === "") return `printed no ${username === "" ? "Username" : "Secret"}`;
  if (username === identityTokenUser) return redacted({ identityToken: secret, serverAddress });
  return redacted({ username, password: secret, serverAddress });
}
