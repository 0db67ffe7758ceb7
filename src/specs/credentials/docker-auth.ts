import { refuse } from "../../input/check.js";
import { imageReference, splitReference } from "../image-ref.js";
import { DockerConfig } from "./docker-config.js";
import { helperServer } from "./helper.js";
import type { RegistryAuth } from "./registry-auth.js";

/**
 * Finds the credentials for an image in a Docker configuration: `~/.docker/config.json`, Podman's `auth.json`, the
 * `.dockerconfigjson` or `.dockercfg` of a Kubernetes Secret. The older `.dockercfg` has no `auths` around its entries.
 *
 * Several keys may apply to an image. Keys with its host take precedence over patterns (`*.registry.example`), then longer paths
 * (`registry.example/team`) over shorter ones. The first entry with credentials is used; {@link RegistryCredentials} tries all of
 * them. Host names match in any case, and with or without the default port. All names of Docker Hub are one registry. A pattern
 * must match the host in the image reference. The labels of this host have at most 63 characters each, as in DNS.
 *
 * Helper programs are not run: {@link RegistryCredentials} does that. As in Docker, a helper in `credHelpers` takes precedence over
 * an entry in the file. An entry with credentials takes precedence over `credsStore`, because `docker login` with a store leaves
 * entries without credentials.
 *
 * The file may have at most 1,048,576 characters, as many as a Kubernetes Secret, and at most 10,000 registries whose names have
 * at most 4,096 characters each.
 *
 * @param config The content of the file, or the object that it parses to. No error shows its content.
 * @param image The image to pull.
 * @returns `undefined` if the file has no credentials for the image, so that the image is pulled without credentials
 * @throws InvalidInputError if a helper has or may have the credentials, or if the file is malformed or too large
 */
export function authFromDockerConfig(config: string | object, image: string): RegistryAuth | undefined {
  const reference = imageReference(image, "image");
  const file = new DockerConfig(config, "config");
  // As in Docker, an empty name means that this registry has no helper, and that the store does not apply to it.
  const helper = file.helperFor(reference);
  if (helper) refuseHelper(`are kept by ${helper}`, reference, helper);
  const found = file.entriesFor(reference).find(({ auth }) => auth !== undefined);
  if (found !== undefined) return found.auth;
  const store = file.store();
  if (store && helper === undefined) refuseHelper(`may be kept by ${store} (credsStore)`, reference, store);
  return undefined;
}

function refuseHelper(problem: string, image: string, program: string): never {
  const { registry } = splitReference(image);
  return refuse(
    "config",
    `the credentials for ${registry} ${problem}, which is not run here: use RegistryCredentials, or run ` +
      `\`echo ${helperServer(registry)} | ${program} get\` and pass the user name and the secret that it prints as username and password`,
  );
}
