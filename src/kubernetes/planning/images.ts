import { ImageSpec } from "../../proto.js";
import { split } from "../../specs/image-reference.js";
import type { PodManifest } from "../manifest/pod.js";
import { podAnnotations } from "./labels.js";
import type { ImagePlan } from "./pod-plan-types.js";

/** Plans the pull of an image. Without tag and digest, the tag is `latest`. */
export function imagePlan(reference: string, policy: ImagePlan["pullPolicy"] | undefined): ImagePlan {
  const { tag, digest } = split(reference);
  const isLatest = tag === "latest" || (tag === undefined && digest === undefined);
  return {
    reference: tag === undefined && digest === undefined ? `${reference}:latest` : reference,
    pullPolicy: policy ?? (isLatest ? "Always" : "IfNotPresent"),
  };
}

/** Returns the image of a pull request. As with a kubelet, it has the annotations of the pod. */
export function pulledImage(pod: PodManifest, { reference }: ImagePlan): ImageSpec {
  return ImageSpec.create({ image: reference, annotations: podAnnotations(pod) });
}
