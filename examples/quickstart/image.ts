import type { CriClient } from "k8s-cri-client";

const fallback = "docker.io/library/busybox:1.37";

/** Images that have a shell, the smallest first. */
const shells = ["busybox", "alpine", "debian", "ubuntu"];

/** An image with a shell that is on the node already, so that nothing has to be pulled; else a small public one. */
export async function defaultImage(cri: CriClient, signal: AbortSignal): Promise<string> {
  const tags = (await cri.images.list({}, { signal })).flatMap(({ repoTags }) => repoTags);
  for (const shell of shells) {
    const tag = tags.find((candidate) => candidate.split("/").at(-1)?.split(":")[0] === shell);
    if (tag) return tag;
  }
  return fallback;
}

/** What removes an image again that is about to be pulled, and tells whether it did; absent if it is on the node already. */
export async function imageRemover(
  cri: CriClient,
  image: string,
  signal: AbortSignal,
): Promise<(() => Promise<boolean>) | undefined> {
  if (await cri.images.get(image, { signal })) return undefined;
  const before = new Set((await cri.images.list({}, { signal })).map(({ id }) => id));
  return async () => {
    const pulled = await cri.images.get(image);
    // Removing an image takes all its tags: one that was there under another name must stay.
    if (!pulled || before.has(pulled.id)) return false;
    await cri.images.remove(image);
    return true;
  };
}
