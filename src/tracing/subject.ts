import { isRecord } from "../internal/record.js";
import { sanitize } from "../internal/redact.js";

/** The objects that an operation is about, as far as the client knows them. Ids of new objects are added at the end. */
export interface OperationSubject {
  containerId?: string;
  containerName?: string;
  podSandboxId?: string;
  podName?: string;
  podNamespace?: string;
  podUid?: string;
  /** The reference of the image, as the caller wrote it. */
  image?: string;
}

/**
 * Reads the subject from a request or a reply. Reads only names and ids: everything else in a message may be secret. The message may
 * come from the caller of a raw stub, so no field has a certain type.
 */
export function subjectOf(message: unknown): OperationSubject {
  const { containerId, podSandboxId, config, sandboxConfig, image } = fieldsOf(message);
  const isContainer = podSandboxId !== undefined || sandboxConfig !== undefined;
  const container = isContainer ? fieldsOf(config) : {};
  const pod = fieldsOf(fieldsOf(isContainer ? sandboxConfig : config).metadata);
  const spec = fieldsOf(image ?? container.image);
  return compact({
    containerId,
    containerName: fieldsOf(container.metadata).name,
    podSandboxId,
    podName: pod.name,
    podNamespace: pod.namespace,
    podUid: pod.uid,
    image: spec.userSpecifiedImage || spec.image,
  });
}

/** Returns the values that are non-empty strings, without credentials and control characters. */
export function compact(subject: { readonly [K in keyof OperationSubject]?: unknown }): OperationSubject {
  const known = Object.entries(subject).filter(([, value]) => typeof value === "string" && value !== "");
  return Object.fromEntries(known.map(([key, value]) => [key, sanitize(value as string)]));
}

/** Returns the id of an object that is given as its id or as an object with the id. */
export function idIn(target: unknown): string | undefined {
  return stringOf(typeof target === "string" ? target : fieldsOf(target).id);
}

/** Returns the names in the spec or the message of a pod. */
export function podNames(given: unknown): OperationSubject {
  const { name, namespace, uid } = namesIn(given);
  return compact({ podName: name, podNamespace: namespace, podUid: uid });
}

/** Returns the names in the spec or the message of a container. */
export function containerNames(given: unknown): OperationSubject {
  return compact({ containerName: namesIn(given).name, image: imageName(fieldsOf(given).image) });
}

/** Returns the reference of an image that is given as a string, an object with the reference, or a message. */
export function imageName(given: unknown): string | undefined {
  const { reference, userSpecifiedImage, image } = fieldsOf(given);
  return stringOf(typeof given === "string" ? given : (reference ?? (userSpecifiedImage || image)));
}

function namesIn(given: unknown): Readonly<Record<string, unknown>> {
  const fields = fieldsOf(given);
  return isRecord(fields.metadata) ? fields.metadata : fields;
}

function stringOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {};
}
