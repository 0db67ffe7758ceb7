import type { CriClient } from "k8s-cri-client";

const fallback = "docker.io/library/busybox:1.37";

/** Images with a shell, the smallest first. */
const shells = ["busybox", "alpine", "debian", "ubuntu"];

/** Returns an image with a shell that is on the node, or else a small public one. */
export async function defaultImage(cri: CriClient, signal: AbortSignal): Promise<string> {
  const tags = (await cri.images.list({}, { signal })).flatMap(({ repoTags }) => repoTags);
  for (const shell of shells) {
    const tag = tags.find((candidate) => candidate.split("/").at(-1)?.split(":")[0] === shell);
    if (tag) return tag;
  }
  return fallback;
}

/**
 * Returns a function that removes the image if it was pulled after this call, and resolves with whether it did. Returns undefined
 * if the image is on the node already.
 */
export async function imageRemover(
  cri: CriClient,
  image: string,
  signal: AbortSignal,
): Promise<(() => Promise<boolean>) | undefined> {
  if (await cri.images.get(image, { signal })) return undefined;
  const before = new Set((await cri.images.list({}, { signal })).map(({ id }) => id));
  return async () => {
    const pulled = await cri.images.get(image);
    // Removing an image removes all its tags: an image that was on the node under another name must stay.
    if (!pulled || before.has(pulled.id)) return false;
    await cri.images.remove(image);
    return true;
  };
}
