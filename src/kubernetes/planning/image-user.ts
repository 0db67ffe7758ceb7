import { refuse } from "../../input/check.js";
import type { ContainerManifest } from "../manifest/container.js";
import type { PodManifest } from "../manifest/pod.js";
import { containerPath } from "./pod-context.js";
import type { ImageFacts } from "./pod-plan-types.js";

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
  if (image.username !== undefined && image.username !== "") {
    refuse(field, `the image's user is the name ${JSON.stringify(image.username)}; set runAsUser to its numeric id`);
  }
  if (image.uid === 0n) refuse(field, "the image runs as root; set runAsUser to an id other than 0");
}
