import { checkId } from "../calls/checked.js";
import type { Container } from "./container.js";
import type { PodSandbox } from "./pod.js";

/** What names a pod: its id or a handle. */
export type PodTarget = string | Pick<PodSandbox, "kind" | "id">;

/** What names a container: its id or a handle. */
export type ContainerTarget = string | Pick<Container, "kind" | "id">;

/** The id that a target stands for. */
export function idOf(target: PodTarget | ContainerTarget, field: string): string {
  return checkId(typeof target === "object" && target !== null ? target.id : target, field);
}
