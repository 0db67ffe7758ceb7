import { CriError, ImagePullError } from "k8s-cri-client";

/** What can be done about a failure, as far as this program knows. */
export function remedyFor(error: unknown): string | undefined {
  if (error instanceof ImagePullError) {
    const cause = {
      NotFound: "The registry has no such image.",
      Unauthorized: "The registry wants credentials, and the quickstart sends none.",
      RegistryUnavailable: "The node does not reach the registry.",
      SignatureValidationFailed: "The node's policy refuses the image.",
      InvalidReference: "This is no reference of an image.",
      Other: "The runtime could not pull the image.",
    }[error.reason];
    return `${cause} Name one that the node has or can pull: npm run quickstart -- --image <reference>`;
  }
  if (!CriError.is(error)) {
    return error instanceof Error && error.stack?.includes("/lab/")
      ? "No containerd could be brought up. CRI_LAB=off npm run quickstart uses a fake instead, whose containers are processes of this machine."
      : undefined;
  }
  if (/sandbox image|pause/.test(error.details)) {
    return "The runtime could not pull the image of the pod's own container. Load it, or set another one in the runtime's configuration.";
  }
  if (/executable file not found|no such file or directory/.test(error.details)) {
    return "The image seems to have no shell. Name one that has: npm run quickstart -- --image docker.io/library/busybox";
  }
  if (/cni|network/i.test(error.details)) {
    return "The runtime could not set up the pod's network. `crictl info` shows the state of its network configuration.";
  }
  return undefined;
}
