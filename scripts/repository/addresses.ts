/**
 * The fields of package.json that hold the address of the repository.
 *
 * @module
 */

/** The owner in package.json until `npm run repository -- OWNER/NAME` sets it. The host leads nowhere: `.invalid` is reserved. */
export const placeholder = "https://github.invalid/OWNER/k8s-cri-client";

export interface Addresses {
  repository: { type: "git"; url: string };
  homepage: string;
  bugs: { url: string };
}

/** Returns the fields for a repository on GitHub. @throws Error unless `name` has the form `OWNER/NAME` */
export function addressesOf(name: string): Addresses {
  if (!/^[\w-]+\/[\w.-]+$/.test(name)) throw new Error(`The repository must be OWNER/NAME, got "${name}".`);
  return addressesAt(`https://github.com/${name}`);
}

/** Returns what is wrong with the addresses of a manifest. Undefined if it can be published. */
export function problemOf(manifest: Partial<Addresses>): string | undefined {
  const address = urlOf(manifest.repository?.url ?? "");
  const { homepage, bugs } = addressesAt(address);
  if (manifest.homepage !== homepage) return `"homepage" in package.json must be ${homepage}, as in "repository".`;
  if (manifest.bugs?.url !== bugs.url) return `"bugs" in package.json must be ${bugs.url}, as in "repository".`;
  if (address === placeholder) return "package.json has no repository yet.";
  return undefined;
}

/** Returns the owner in the `repository` field. */
export function ownerIn(manifest: Pick<Addresses, "repository">): string {
  return new URL(urlOf(manifest.repository.url)).pathname.split("/")[1] as string;
}

function urlOf(repositoryUrl: string): string {
  return repositoryUrl.replace(/^git\+|\.git$/g, "");
}

function addressesAt(url: string): Addresses {
  return {
    repository: { type: "git", url: `git+${url}.git` },
    homepage: `${url}#readme`,
    bugs: { url: `${url}/issues` },
  };
}
