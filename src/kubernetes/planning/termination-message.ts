import { createHash } from "node:crypto";
import type { ContainerManifest } from "../manifest/container.js";
import type { PodContext } from "./pod-context.js";

/**
 * Returns the path on the node of the file for the termination message of one attempt: `<pod>/containers/<name>/<8 hex digits>`.
 * A kubelet uses random digits; these are the same for the same attempt, so that a later run finds the file.
 */
export function terminationMessagePathOf(
  { uid, podDirectory }: PodContext,
  { name, terminationMessagePath = "/dev/termination-log" }: ContainerManifest,
  attempt: number,
): string | undefined {
  if (terminationMessagePath === "") return undefined;
  const digits = createHash("sha256").update(`${uid}/${name}/${attempt}`).digest("hex").slice(0, 8);
  return `${podDirectory}/containers/${name}/${digits}`;
}
