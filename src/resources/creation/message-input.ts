import { invalid, refuse } from "../../input/check.js";
import { type MessageType, shapeOf } from "../../internal/message-shape.js";
import { isRecord, unknownField } from "../../internal/record.js";
import { ContainerConfig, PodSandboxConfig } from "../../proto.js";
import { checkMessage } from "../../rpcs/checked-request.js";
import { type ContainerDraft, readContainerSpec } from "../../specs/container-config.js";
import type { ContainerSpec } from "../../specs/container-spec.js";
import type { ImageInput } from "../../specs/image-ref.js";
import { type ConvertedPod, toPodSandboxConfig } from "../../specs/pod-config.js";
import type { PodSpec } from "../../specs/pod-spec.js";

/** A pod to run: a spec, or the wire message, which is sent as it is. The client recognises a message by its `metadata`. */
export type PodInput = PodSpec | PodSandboxConfig;

/** A container to create: a spec, or the wire message, which is sent as it is. The client recognises a message by its `metadata`. */
export type ContainerInput = ContainerSpec | ContainerConfig;

/** Converts a pod to the arguments of RunPodSandbox. @throws InvalidInputError */
export function readPod(given: PodInput): ConvertedPod {
  if (!isMessage(given)) return toPodSandboxConfig(given);
  const config = copyMessage(PodSandboxConfig, given);
  return { config, runtimeHandler: "", terminationGracePeriodSeconds: undefined };
}

/** Checks a container, and returns its image and the rest of its conversion. @throws InvalidInputError */
export function readContainer(given: ContainerInput): { draft: ContainerDraft; image: ImageInput } {
  if (!isMessage(given)) return { draft: readContainerSpec(given), image: given.image };
  const config = copyMessage(ContainerConfig, given);
  const { image: reference = "", annotations, runtimeHandler } = config.image ?? {};
  if (reference === "") refuse("config.image.image", "is required");
  const draft: ContainerDraft = {
    complete: ({ terminationGracePeriodSeconds }) => ({ config, terminationGracePeriodSeconds }),
  };
  return { draft, image: { reference, annotations, runtimeHandler } };
}

function isMessage<M extends PodSandboxConfig | ContainerConfig>(given: PodSpec | ContainerSpec | M): given is M {
  return isRecord(given) && Object.hasOwn(given, "metadata");
}

/** Checks and copies a message, so that later changes by the caller have no effect. */
function copyMessage<M extends { metadata?: { name: string } | undefined }>(
  type: MessageType<M> & { fromPartial(message: object): M },
  given: M,
): M {
  const fields = Object.fromEntries([...shapeOf(type).fields.keys()].map((key) => [key, true as const]));
  const unknown = unknownField(given, fields);
  if (unknown) refuse(`config.${unknown.key}`, unknown.message);
  checkMessage(type, given, "config");
  if (!given.metadata?.name) invalid("config.metadata.name", "is required", given.metadata?.name);
  return type.fromPartial(given);
}
