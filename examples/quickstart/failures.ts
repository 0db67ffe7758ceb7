import { CriError, ImagePullError } from "k8s-cri-client";

/** Returns advice for a failure, if this program has any. */
export function remedyFor(error: unknown): string | undefined {
  if (error instanceof ImagePullError) {
    const cause = {
      NotFound: "The registry does not have this image.",
      Unauthorized: "The registry requires credentials, and the quickstart sends none.",
      RegistryUnavailable: "The node cannot reach the registry.",
      SignatureValidationFailed: "The node's policy rejects the image.",
      InvalidReference: "This is not an image reference.",
      Other: "The runtime could not pull the image.",
    }[error.reason];
    return `${cause} Name an image that the node has or can pull: npm run quickstart -- --image <reference>`;
  }
  if (!CriError.is(error)) {
    return error instanceof Error && error.stack?.includes("/lab/")
      ? "No containerd could be started. CRI_LAB=off npm run quickstart uses a fake whose containers are processes of this machine."
      : undefined;
  }
  if (/sandbox image|pause/.test(error.details)) {
    return "The runtime could not pull the pause image. Load it, or set another one in the runtime's configuration.";
  }
  if (/executable file not found|no such file or directory/.test(error.details)) {
    return "The image seems to have no shell. Name an image with a shell: npm run quickstart -- --image docker.io/library/busybox";
  }
  if (/cni|network/i.test(error.details)) {
    return "The runtime could not set up the pod's network. `crictl info` shows its network configuration.";
  }
  return undefined;
}
