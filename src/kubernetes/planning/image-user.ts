import { refuse } from "../../input/check.js";
import type { ContainerManifest } from "../manifest/container.js";
import type { PodManifest } from "../manifest/pod.js";
import { containerPath } from "./pod-context.js";
import type { ImageFacts } from "./pod-plan-types.js";

/** Returns the user of an image. An image without a user runs as root. */
export function imageUserOf({ uid, username = "" }: ImageFacts): { uid: bigint | undefined; username: string } {
  return uid === undefined && username === "" ? { uid: 0n, username } : { uid, username };
}

/**
 * Checks `runAsNonRoot` against the user of the container, or of its image.
 *
 * @throws InvalidInputError if the user is root, or a name whose id nobody knows before the container runs
 */
export function checkUser(pod: PodManifest, container: ContainerManifest, image: ImageFacts): void {
  const own = container.securityContext ?? {};
  const shared = pod.spec.securityContext ?? {};
  if ((own.runAsNonRoot ?? shared.runAsNonRoot) !== true) return;
  const field = `${containerPath(pod, container)}.securityContext.runAsNonRoot`;
  const user = own.runAsUser ?? shared.runAsUser;
  if (user === 0) refuse(field, "runAsUser is 0; set runAsUser to another id");
  if (user !== undefined) return;
  const { uid, username } = imageUserOf(image);
  if (uid === undefined) {
    refuse(field, `the image's user is the name ${JSON.stringify(username)}; set runAsUser to its numeric id`);
  }
  if (uid === 0n) refuse(field, "the image runs as root; set runAsUser to an id other than 0");
}
