import type { CallOptions } from "../../options.js";
import type { Container, Image } from "../../proto.js";
import { listContainers } from "../../rpcs/containers.js";
import { listImages } from "../../rpcs/images.js";
import { status } from "../../rpcs/runtime.js";
import type { Connection } from "../../transport/connection.js";
import { plainName, plainNames } from "./image-names.js";

/** What uses an image: at least one container, or the pod sandboxes. */
export type ImageUser = "container" | "podSandbox";

/** The images of a node, the containers, and who uses an image. */
export interface NodeImages {
  readonly images: readonly Image[];
  readonly containers: readonly Container[];
  /** Returns the containers that use an image, running or not. */
  containersOf(image: Image): readonly Container[];
  userOf(image: Image): ImageUser | undefined;
}

/** Lists the images of a node and their users. */
export async function listUsedImages(connection: Connection, options: CallOptions): Promise<NodeImages> {
  // Containers are listed after images, so that the list contains a container that is created in between.
  const images = await listImages(connection, undefined, options);
  const containers = await listContainers(connection, undefined, options);
  const { info } = await status(connection, true, options);
  const byImage = new Map<string, Set<Container>>();
  for (const container of containers) {
    for (const name of imageNames(container)) {
      byImage.set(name, (byImage.get(name) ?? new Set()).add(container));
    }
  }
  const ofSandboxes = new Set(sandboxImages(info).map(plainName));
  const containersOf = (image: Image) => [
    ...new Set(plainNames(image).flatMap((name) => [...(byImage.get(name) ?? [])])),
  ];
  return {
    images,
    containers,
    containersOf,
    userOf: (image) => {
      if (containersOf(image).length > 0) return "container";
      return plainNames(image).some((name) => ofSandboxes.has(name)) ? "podSandbox" : undefined;
    },
  };
}

/** Returns all names of the image of a container. Runtimes differ in which name a container has. */
function imageNames({ image, imageId, imageRef }: Container): string[] {
  const names = [imageId, imageRef, image?.image ?? "", image?.userSpecifiedImage ?? ""];
  return names.filter((name) => name !== "").map(plainName);
}

/** Finds the image of pod sandboxes. containerd 1.6 does not pin it, and lists no container that uses it. */
function sandboxImages(info: Record<string, string>): string[] {
  return Object.values(info).flatMap((text) =>
    [...text.matchAll(/"sandboxImage":\s*"([^"]+)"/g)].map(([, name = ""]) => name),
  );
}
