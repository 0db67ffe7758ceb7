import { type Finding, finding } from "../finding.js";
import type { Subject } from "../subject.js";

/** Checks that the image service answers. */
export async function checkImageService({ cri, callOptions }: Subject): Promise<Finding[]> {
  await cri.images.fsInfo(callOptions);
  const at = cri.imageEndpoint === cri.endpoint ? "at the same endpoint" : `at ${cri.imageEndpoint}`;
  return [finding("image-service", "ok", `answers ${at}`)];
}
